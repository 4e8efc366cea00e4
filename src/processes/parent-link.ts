/** The channel to the parent that started this process, and the place among its processes. */
import type { FromParent, Parent } from './message.ts';

/** `2/4`: process 2 of 4. Set by the parent for those that it starts. */
export const PLACE_VARIABLE = 'AFTERIMAGE_PROCESS';

export interface Place {
  readonly number: number;
  readonly count: number;
}

/** Undefined: nobody started this as one of several. */
export function placeOf(text: string | undefined): Place | undefined {
  const [, number, count] = /^(\d+)\/(\d+)$/.exec(text ?? '') ?? [];
  if (process.send === undefined || number === undefined) return undefined;
  return { number: Number(number), count: Number(count) };
}

export function linkToParent<R>(): Parent<R> {
  return {
    send(message) {
      if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
    },
    // The other end is this program: what it sends has the type that it says.
    onMessage: (listener) => void process.on('message', (message) => listener(message as FromParent<R>)),
    onGone: (listener) => (process.connected ? void process.once('disconnect', listener) : listener()),
  };
}
