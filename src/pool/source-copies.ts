/**
 * How the bytes of a source reach a thread while the cache keeps them: copied, into buffers that are lent to one
 * job after another. A new buffer for every job is a page fault for each 4 KiB of it, and memory that the
 * collector counts. What is lent is seen by both threads: nobody writes into it until the job was answered.
 */

export interface SourceCopy {
  readonly source: ArrayBuffer | SharedArrayBuffer;
  readonly sourceBytes: number;
  /** What the thread gets for good: a buffer that was not lent. */
  readonly given: readonly ArrayBuffer[];
  /** The thread has done with it. */
  giveBack(): void;
}

export interface SourceCopies {
  copy(source: Uint8Array): SourceCopy;
}

/** Only what is written to takes memory. Larger sources are rare, and their memory is given back at once. */
const LENT_BYTES_MAX = 4 * 1024 * 1024;

/** Buffers are kept for so many jobs at once; they come to be one by one. */
export function createSourceCopies(atOnce: number): SourceCopies {
  const free: SharedArrayBuffer[] = [];

  function lend(source: Uint8Array): SourceCopy {
    const lent = free.pop() ?? new SharedArrayBuffer(LENT_BYTES_MAX);
    new Uint8Array(lent).set(source);
    return {
      source: lent,
      sourceBytes: source.byteLength,
      given: [],
      giveBack: () => {
        if (free.length < atOnce) free.push(lent);
      },
    };
  }

  function give(source: Uint8Array): SourceCopy {
    const copy = new Uint8Array(source).buffer;
    return { source: copy, sourceBytes: copy.byteLength, given: [copy], giveBack: () => undefined };
  }

  return { copy: (source) => (source.byteLength <= LENT_BYTES_MAX ? lend(source) : give(source)) };
}
