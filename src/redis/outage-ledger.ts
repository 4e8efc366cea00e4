/**
 * What was changed while the primary tier was away, so that it can be made up for. Bounded: beyond, the
 * oldest change is forgotten, and its key is then a miss in the primary. Pure.
 */

export type Change = 'put' | 'delete';
/** One change of one key: another change of it is another one of these. */
export interface Owed {
  readonly change: Change;
  /** When what was put was stored; 0 for a deletion. */
  readonly storedAtMs: number;
}

type KeyTest = (key: string) => boolean;

export interface OutageLedger {
  note(key: string, change: Change, storedAtMs?: number): void;
  noteClear(test: KeyTest): void;
  owedOf(key: string): Owed | undefined;
  /** Runs a newer change of the key: what is owed of it stays until the work says otherwise, and is not made up for. */
  change<T>(key: string, work: () => Promise<T>): Promise<T>;
  isChanging(key: string): boolean;
  /** Whether a clearing that is still to be made up for accepts the key. */
  isCleared(key: string): boolean;
  /** Made up for, or overtaken by a change that the primary took. */
  settle(key: string): void;
  firstClear(): KeyTest | undefined;
  settleClear(test: KeyTest): void;
  keys(): readonly string[];
  size(): number;
}

const KEYS_MAX = 10_000;
const CLEARS_MAX = 100;

export function createOutageLedger(): OutageLedger {
  const changes = new Map<string, Owed>();
  /** Bounded by the calls that are under way; one at a time for each key. */
  const changing = new Set<string>();
  let clears: KeyTest[] = [];

  return {
    note(key, change, storedAtMs = 0) {
      // Last again: the newest change is forgotten last.
      changes.delete(key);
      changes.set(key, { change, storedAtMs });
      const [oldest] = changes.keys();
      if (changes.size > KEYS_MAX && oldest !== undefined) changes.delete(oldest);
    },
    noteClear(test) {
      for (const key of changes.keys()) if (test(key)) changes.delete(key);
      clears.push(test);
      // Too many to tell apart: clear everything, which is never wrong for a cache.
      if (clears.length > CLEARS_MAX) clears = [() => true];
    },
    owedOf: (key) => changes.get(key),
    async change(key, work) {
      changing.add(key);
      try {
        return await work();
      } finally {
        changing.delete(key);
      }
    },
    isChanging: (key) => changing.has(key),
    isCleared: (key) => clears.some((test) => test(key)),
    settle: (key) => void changes.delete(key),
    firstClear: () => clears[0],
    settleClear(test) {
      clears = clears.filter((other) => other !== test);
    },
    keys: () => [...changes.keys()],
    size: () => changes.size + clears.length,
  };
}
