/**
 * Runs the work of one key after the other, of different keys side by side. Holds nothing for a key
 * that nobody works on. Not re-entrant: work that takes the lock of another key may deadlock.
 */
import { abortable } from './abortable.ts';

export interface KeyedLock {
  /** Rejects with the signal's reason if that comes before its turn; `work` is then not run. */
  run<T>(key: string, signal: AbortSignal, work: () => Promise<T>): Promise<T>;
  /** Keys that somebody works on or waits for. */
  busyKeys(): string[];
}

const nothing = (): void => undefined;

export function createKeyedLock(): KeyedLock {
  const tails = new Map<string, Promise<void>>();

  async function run<T>(key: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const before = tails.get(key);
    let release = nothing;
    const mine = new Promise<void>((resolve) => {
      release = resolve;
    });
    // Whoever comes next waits for those before us too, even if we leave early.
    const tail = before === undefined ? mine : before.then(async () => mine);
    tails.set(key, tail);
    try {
      if (before !== undefined) await abortable(before, signal);
      signal.throwIfAborted();
      return await work();
    } finally {
      release();
      if (tails.get(key) === tail) void tail.then(() => forget(key, tail));
    }
  }

  function forget(key: string, tail: Promise<void>): void {
    if (tails.get(key) === tail) tails.delete(key);
  }

  return { run, busyKeys: () => [...tails.keys()] };
}
