/**
 * A request body as pieces, pulled: while the reader is busy the socket is paused, so a producer that is
 * faster than we are waits in its own kernel and not in our memory.
 */
import type { HttpResponse } from 'uWebSockets.js';
import { AppError } from '../errors.ts';

/** Must be called before the handler first awaits. Ends with AppError request_aborted when the client leaves. */
export function readChunks(res: HttpResponse, signal: AbortSignal): AsyncIterable<Uint8Array> {
  const waiting: Uint8Array[] = [];
  let ended = false;
  let paused = false;
  let wake = (): void => undefined;

  res.onData((chunk, isLast) => {
    // The chunk is neutered when this returns: copy it.
    if (chunk.byteLength > 0) waiting.push(new Uint8Array(chunk.slice(0)));
    ended = ended || isLast;
    if (!ended && !paused) {
      paused = true;
      res.pause();
    }
    wake();
  });
  signal.addEventListener('abort', () => wake(), { once: true });

  async function* pull(): AsyncGenerator<Uint8Array> {
    for (;;) {
      if (signal.aborted) throw new AppError('request_aborted');
      const chunk = waiting.shift();
      if (chunk !== undefined) {
        yield chunk;
        continue;
      }
      if (ended) return;
      const more = new Promise<void>((resolve) => {
        wake = resolve;
      });
      if (paused) {
        paused = false;
        res.resume();
      }
      await more;
    }
  }
  return pull();
}
