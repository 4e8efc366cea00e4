/** Waits for work on behalf of a caller who may leave; the work itself goes on. */
import { AppError } from '../errors.ts';

export function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = () => reject(new AppError('request_aborted'));
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave);
    const stopListening = () => signal.removeEventListener('abort', leave);
    work.then(stopListening, stopListening);
    work.then(resolve, reject);
  });
}
