/**
 * Fetches what will be asked for before it is: ids that an operator names, or what was hottest before a
 * restart. A few at a time, behind everything else; one list after the other.
 */
import type { Cache } from '../cache/lookup.ts';
import { AppError } from '../errors.ts';

export interface WarmProgress {
  readonly total: number;
  readonly done: number;
  readonly found: number;
  readonly missing: number;
  readonly failed: number;
  /** False with keys left over: memory was full. */
  readonly running: boolean;
}

export interface Warmer {
  /** Adds keys to what is to be fetched; AppError overloaded when too many wait already. */
  add(keys: readonly string[]): WarmProgress;
  /** Of everything added since this warmer was last idle. */
  progress(): WarmProgress;
  /** Resolves when nothing is left to fetch, or the warmer was stopped. */
  idle(): Promise<void>;
  stop(): void;
}

export interface WarmDeps {
  readonly cache: Pick<Cache, 'find'>;
  /** False: memory has what it can hold; the rest is left out. */
  readonly hasRoom: () => boolean;
  readonly onProgress: (progress: WarmProgress) => void;
}

const CONCURRENCY = 4;
const WAITING_MAX = 200_000;
const REPORT_EVERY = 1000;

export function createWarmer(deps: WarmDeps): Warmer {
  const stopped = new AbortController();
  let waiting: string[] = [];
  /** Place of the next key in `waiting`: shifting a long list would move all of it for each key. */
  let next = 0;
  let counts = { total: 0, done: 0, found: 0, missing: 0, failed: 0 };
  let running: Promise<void> | undefined;

  const progress = (): WarmProgress => ({ ...counts, running: running !== undefined });

  const fetchOne = async (key: string): Promise<void> => {
    try {
      const found = await deps.cache.find(key, stopped.signal);
      counts[found === undefined ? 'missing' : 'found'] += 1;
    } catch {
      counts.failed += 1;
    }
    counts.done += 1;
    if (counts.done % REPORT_EVERY === 0) deps.onProgress(progress());
  };

  const work = async (): Promise<void> => {
    while (!stopped.signal.aborted && deps.hasRoom()) {
      const key = waiting[next];
      if (key === undefined) return;
      next += 1;
      await fetchOne(key);
    }
    next = waiting.length;
  };

  const run = async (): Promise<void> => {
    await Promise.all(Array.from({ length: CONCURRENCY }, work));
    running = undefined;
    deps.onProgress(progress());
  };

  return {
    add(keys) {
      if (waiting.length - next + keys.length > WAITING_MAX) {
        throw new AppError('overloaded', `At most ${WAITING_MAX} images can wait to be warmed.`);
      }
      if (running === undefined) counts = { total: 0, done: 0, found: 0, missing: 0, failed: 0 };
      waiting = [...waiting.slice(next), ...keys];
      next = 0;
      counts.total += keys.length;
      running ??= run();
      return progress();
    },
    progress,
    idle: async () => running,
    stop: () => stopped.abort(),
  };
}
