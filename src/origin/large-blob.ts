/**
 * The body of a blob that is too large to hold. The first reader of the whole starts the one pull from
 * Azure, which a tier keeps as it comes; every reader follows what is written. A range far from there,
 * or a blob that nobody can keep, is read from Azure directly. Memory: the piece in hand.
 */
import type { GrowingBody, Keep } from '../cache/origin.ts';
import type { BodyStream, Entry } from '../core/entry.ts';
import { AppError } from '../errors.ts';
import type { BlobReader, OpenBlob } from './blob-reader.ts';

export interface LargeBlob extends BodyStream {
  /** A tier keeps the blob just now. */
  isFilling(): boolean;
  /** Ends the keeping: the blob is no longer what it was, or the server stops. Readers go on by themselves. */
  stopFilling(): void;
}

export interface LargeBlobDeps {
  readonly reader: BlobReader;
  readonly keep: Keep;
}

/** A reader at most this far ahead of the pull waits for it; one further ahead asks Azure itself. */
const FOLLOW_AHEAD_BYTES = 8 * 1024 * 1024;
/** How often one reading goes on with a new call after Azure broke off. */
const RESUMES_MAX = 2;
/** How long the connection of the first call waits to be read from. */
const UNREAD_MS = 2000;

/** `first`: the call that found out how large it is, nothing of it read yet. */
export function createLargeBlob(name: string, draft: Entry, first: OpenBlob, deps: LargeBlobDeps): LargeBlob {
  const last = draft.bytes - 1;
  let unread: OpenBlob | undefined = first;
  let growing: GrowingBody | undefined;
  /** What the pull gave was not what Azure keeps: nobody who followed it may go on elsewhere. */
  let isCorrupt = false;
  /** A reader's leaving does not end the pull; this does. */
  const stopped = new AbortController();
  const giveUp = setTimeout(() => takeUnread()?.discard(), UNREAD_MS);
  giveUp.unref();

  function takeUnread(): OpenBlob | undefined {
    clearTimeout(giveUp);
    const taken = unread;
    unread = undefined;
    return taken;
  }

  /** From a position to the end of the range: by the first call where that fits, else by one of its own. */
  async function openAt(from: number, to: number, signal: AbortSignal): Promise<OpenBlob> {
    const taken = from === 0 && to === last ? takeUnread() : undefined;
    if (taken !== undefined) return taken;
    const reply = await deps.reader.open(name, { range: { from, to }, ifMatch: first.etag }, signal);
    if (reply.kind === 'open') return reply;
    throw new AppError('body_vanished', 'The blob was changed or removed while it was read.');
  }

  async function* direct(from: number, to: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    let position = from;
    for (let resumes = 0; position <= to; resumes += 1) {
      const blob = await openAt(position, to, signal);
      try {
        for await (const piece of blob.pieces()) {
          position += piece.byteLength;
          yield piece;
          signal.throwIfAborted();
        }
      } catch (thrown) {
        isCorrupt = blob.isCorrupt();
        if (signal.aborted || isCorrupt || resumes >= RESUMES_MAX) throw thrown;
        continue;
      }
      // Ended well, and gave less than was asked for: Azure said another length before.
      if (position <= to && resumes >= RESUMES_MAX) throw new AppError('origin_failed');
    }
  }

  function startFilling(): void {
    isCorrupt = false;
    growing = deps.keep(draft, direct(0, last, stopped.signal));
    void growing?.kept.then(() => (growing = undefined));
  }

  return {
    isFilling: () => growing !== undefined,
    stopFilling() {
      stopped.abort();
      takeUnread()?.discard();
    },
    async *read(from, to, signal) {
      const isAll = from === 0 && to === last;
      if (growing === undefined && isAll && !stopped.signal.aborted) startFilling();
      const followed = growing;
      let position = from;
      if (followed !== undefined && from <= followed.writtenBytes() + FOLLOW_AHEAD_BYTES) {
        try {
          for await (const piece of followed.read(from, to, signal)) {
            position += piece.byteLength;
            yield piece;
          }
        } catch (thrown) {
          // The tier lost it (no space, say), or the pull broke off: Azure may still have it.
          if (signal.aborted || isCorrupt) throw thrown;
        }
      }
      yield* direct(position, to, signal);
    },
  };
}
