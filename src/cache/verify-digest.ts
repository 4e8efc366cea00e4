/** Whether bytes are those that a version names. In pieces, so that a large body does not hold the loop. */
import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** About a quarter of a millisecond of hashing. */
const PIECE_BYTES = 512 * 1024;

export async function matchesDigest(
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  version: string,
): Promise<boolean> {
  const hash = createHash('sha256');
  for await (const piece of pieces) {
    for (let start = 0; start < piece.byteLength; start += PIECE_BYTES) {
      if (start > 0) await nextTurn();
      hash.update(piece.subarray(start, start + PIECE_BYTES));
    }
  }
  return hash.digest('hex') === version;
}
