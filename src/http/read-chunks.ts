/**
 * A request body as pieces, pulled: while the reader is busy the socket is paused, so a producer that is
 * faster than we are waits in its own kernel and not in our memory.
 */
import { AppError } from '../errors.ts';
import type { RequestBody } from './request-body.ts';

/** Must be called before the handler first awaits. Ends with AppError request_aborted when the client leaves. */
export function readChunks(source: RequestBody, signal: AbortSignal): AsyncIterable<Uint8Array> {
  const waiting: Uint8Array[] = [];
  let ended = false;
  let paused = false;
  let stopped = false;
  let wake = (): void => undefined;

  source.onData((chunk, isLast) => {
    if (stopped) return;
    // The chunk is neutered when this returns: copy it.
    if (chunk.byteLength > 0) waiting.push(new Uint8Array(chunk.slice(0)));
    ended = ended || isLast;
    if (!ended && !paused) {
      paused = true;
      source.pause();
    }
    wake();
  });
  signal.addEventListener('abort', () => wake(), { once: true });

  function unpause(): void {
    if (paused) source.resume();
    paused = false;
  }

  async function more(): Promise<void> {
    const arrival = new Promise<void>((resolve) => {
      wake = resolve;
    });
    unpause();
    await arrival;
  }

  async function* pull(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        if (signal.aborted) throw new AppError('request_aborted');
        const chunk = waiting.shift();
        if (chunk !== undefined) yield chunk;
        else if (ended) return;
        else await more();
      }
    } finally {
      // Whoever reads has seen enough: the rest is dropped, for the connection's next request to be read.
      stopped = true;
      if (!signal.aborted) unpause();
    }
  }
  return pull();
}
