/**
 * The body of a request, whoever reads it, and what becomes of one that nobody reads. uWebSockets.js
 * reads past that by itself, so the next request of the connection is never found inside it; but where
 * the connection closes after the answer, bytes that nobody took reset it, and the reset takes the answer
 * with it: a client that sends all before it reads (Python's urllib) would see a broken pipe.
 */
import type { HttpResponse } from 'uWebSockets.js';

export interface RequestBody {
  /** Gives every chunk from now on to `handler`; only before the request's handler first awaits. */
  onData(handler: (chunk: ArrayBuffer, isLast: boolean) => void): void;
  pause(): void;
  resume(): void;
  /** Reads and drops what is left, within bounds. Resolves at the end, at a bound, or when the client has left. */
  discard(signal: AbortSignal): Promise<void>;
}

const DISCARD_BYTES_MAX = 256 * 1024 * 1024;
const DISCARD_MS_MAX = 30_000;

const drop = (): void => undefined;

/** `isExpected`: the request's headers announce a body of at least one byte, or of no known length. */
export function openRequestBody(res: HttpResponse, isExpected: boolean): RequestBody {
  let handler: (chunk: ArrayBuffer, isLast: boolean) => void = drop;
  let hasEnded = !isExpected;

  // From the start, so that it is known whether all of it has come when the answer is an early one.
  if (isExpected) {
    // Once for the connection's turn: the library goes on calling it after the answer has ended.
    res.onData((chunk, isLast) => {
      hasEnded = isLast;
      handler(chunk, isLast);
    });
  }

  async function discard(signal: AbortSignal): Promise<void> {
    if (hasEnded || signal.aborted) return;
    let dropped = 0;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, DISCARD_MS_MAX);
      const done = (): void => {
        clearTimeout(timer);
        resolve();
      };
      signal.addEventListener('abort', done, { once: true });
      handler = (chunk, isLast) => {
        dropped += chunk.byteLength;
        if (isLast || dropped > DISCARD_BYTES_MAX) done();
      };
    });
    handler = drop;
  }

  return {
    onData(next) {
      handler = next;
      // Of an empty body whose request came in two packets the library never says that it has ended.
      if (!isExpected) next(new ArrayBuffer(0), true);
    },
    pause: () => void res.pause(),
    resume: () => void res.resume(),
    discard,
  };
}
