/** Lets a few through at a time, the others wait in their order; a waiter may leave. */
import { abortable } from './abortable.ts';

export interface Gate {
  run<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T>;
}

const nothing = (): void => undefined;

export function createGate(limit: number): Gate {
  let free = limit;
  const waiting = new Set<() => void>();

  async function enter(signal: AbortSignal): Promise<void> {
    if (free > 0) {
      free -= 1;
      return;
    }
    let called = false;
    let wake = nothing;
    const turn = new Promise<void>((resolve) => {
      wake = () => {
        called = true;
        resolve();
      };
    });
    waiting.add(wake);
    try {
      await abortable(turn, signal);
    } catch (error) {
      waiting.delete(wake);
      // Called and aborted in the same turn: the place goes to the next one.
      if (called) leave();
      throw error;
    }
  }

  function leave(): void {
    const [next] = waiting;
    if (next === undefined) {
      free += 1;
      return;
    }
    waiting.delete(next);
    next();
  }

  return {
    run: async (signal, work) => {
      signal.throwIfAborted();
      await enter(signal);
      try {
        return await work();
      } finally {
        leave();
      }
    },
  };
}
