/** Waits for work on behalf of a caller who may leave; the work itself goes on. */
import { AppError } from '../errors.ts';

export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort = () => {};
  const left = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(new AppError('request_aborted'));
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort);
  });
  try {
    return await Promise.race([work, left]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
