/**
 * Moves a body of which nobody knows the length (chunked transfer coding). Knows bytes and
 * uWebSockets.js, not what they mean.
 */
import type { HttpResponse } from 'uWebSockets.js';

/**
 * Ends the response with pieces that are written as the client takes them. Rejects when the source fails
 * (the response is then cut, so that a short body is never taken for a whole one); returns early when the
 * client leaves.
 */
export async function endWithChunks(
  res: HttpResponse,
  pieces: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  let wake: (() => void) | undefined;
  let ended = false;
  const drained = (): void => {
    // What `write` could not send at once lies in the library until the next call, which may be long in
    // coming: an empty cork sends it. Not in the handler itself, where nothing is flushed.
    if (!ended && !signal.aborted) res.cork(() => undefined);
    wake?.();
  };
  res.onWritable(() => {
    setImmediate(drained);
    return true;
  });
  const left = (): void => wake?.();
  signal.addEventListener('abort', left);
  try {
    for await (const piece of pieces) {
      if (signal.aborted) return;
      let sent = true;
      res.cork(() => {
        sent = res.write(piece);
      });
      if (!sent) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
    ended = true;
    if (!signal.aborted) res.cork(() => void res.end());
  } catch (error) {
    ended = true;
    if (!signal.aborted) res.close();
    throw error;
  } finally {
    signal.removeEventListener('abort', left);
  }
}
