/**
 * Work under a deadline and a signal to stop. Not AbortSignal.any with AbortSignal.timeout: in Node 20 the
 * timeout can be garbage collected before it fires (nodejs/node#57736), and the request waits for ever.
 */

export async function withDeadline<T>(
  outer: AbortSignal,
  timeoutMs: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const abort = new AbortController();
  const stop = (): void => abort.abort(outer.reason);
  const timer = setTimeout(() => {
    abort.abort(new DOMException('no answer in time', 'TimeoutError'));
  }, timeoutMs);
  outer.addEventListener('abort', stop, { once: true });
  try {
    outer.throwIfAborted();
    return await work(abort.signal);
  } finally {
    clearTimeout(timer);
    outer.removeEventListener('abort', stop);
  }
}
