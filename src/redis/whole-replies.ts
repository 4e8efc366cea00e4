/**
 * Passes on what Redis sends (RESP2) with each large value in one piece of its own, copied once, into a
 * buffer of the size that Redis announced: the client would collect it in as many pieces as the socket
 * gave and then join them. Knows where values begin and end, not what they mean or who asked.
 */

export interface WholeReplies {
  /** Bytes as they arrived; all is copied when it returns. */
  take(bytes: Uint8Array): void;
}

/** A value that is shorter is copied along with what stands around it. */
const LARGE_BYTES_MIN = 4096;
/** After each value. */
const LINE_END_BYTES = 2;
const [VALUE, MINUS, DIGIT_0, DIGIT_9, LINE_FEED] = [0x24, 0x2d, 0x30, 0x39, 0x0a];

interface Large {
  readonly bytes: Buffer;
  filled: number;
}

/** `maxBytes`: a larger value comes in pieces, as it arrives. `give` gets bytes that are its own. */
export function createWholeReplies(maxBytes: number, give: (piece: Buffer) => void): WholeReplies {
  let large: Large | undefined;
  /** Of a value that comes along with the rest, line end and all. */
  let leftBytes = 0;
  /** Of the line that is being read; undefined: none has begun. A line that says no length says NaN. */
  let length: number | undefined;

  /** The length that a line gave, once it has ended; `at` moves to where it ended, or to the end. */
  function readLine(bytes: Uint8Array, from: number): number {
    let at = from;
    if (length === undefined) length = bytes[at++] === VALUE ? 0 : Number.NaN;
    for (; at < bytes.length; at += 1) {
      const byte = bytes[at] ?? LINE_FEED;
      if (byte === LINE_FEED) return endLine(at + 1);
      // A value that is not there has -1.
      if (byte === MINUS) length = Number.NaN;
      else if (byte >= DIGIT_0 && byte <= DIGIT_9) length = length * 10 + byte - DIGIT_0;
    }
    return at;
  }

  function endLine(at: number): number {
    const valueBytes = length ?? Number.NaN;
    length = undefined;
    if (valueBytes >= LARGE_BYTES_MIN && valueBytes <= maxBytes) {
      large = { bytes: Buffer.allocUnsafeSlow(valueBytes + LINE_END_BYTES), filled: 0 };
    } else if (valueBytes >= 0) leftBytes = valueBytes + LINE_END_BYTES;
    return at;
  }

  function fill(into: Large, bytes: Uint8Array, from: number): number {
    const taken = bytes.subarray(from, from + into.bytes.length - into.filled);
    into.bytes.set(taken, into.filled);
    into.filled += taken.length;
    if (into.filled === into.bytes.length) {
      large = undefined;
      give(into.bytes);
    }
    return from + taken.length;
  }

  function pass(bytes: Uint8Array, from: number, to: number): void {
    if (to > from) give(Buffer.from(bytes.subarray(from, to)));
  }

  return {
    take(bytes) {
      let at = 0;
      let passedTo = 0;
      while (at < bytes.length) {
        if (large !== undefined) {
          pass(bytes, passedTo, at);
          at = fill(large, bytes, at);
          passedTo = at;
        } else if (leftBytes > 0) {
          const taken = Math.min(leftBytes, bytes.length - at);
          leftBytes -= taken;
          at += taken;
        } else at = readLine(bytes, at);
      }
      pass(bytes, passedTo, at);
    },
  };
}
