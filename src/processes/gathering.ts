/**
 * The readings of all processes, asked for at once and waited for until a deadline. Whoever is silent is
 * named and stands with its last reading; whoever is gone leaves its counts, else sums would go down and
 * Prometheus would take that for a restart of everything.
 */
import type { Gathered } from './message.ts';

export interface GatheringOptions {
  readonly count: number;
  readonly deadlineMs: number;
}

export interface GatheringDeps<R> {
  /** Asks every process that can answer; who was asked. */
  readonly ask: (id: number) => readonly number[];
  /** What stays of those that are gone: what had stayed before, and the last reading of one more. */
  readonly keep: (kept: R | undefined, last: R) => Promise<R>;
}

export interface Gathering<R> {
  /** Who comes while one is under way gets the same. Never rejects. */
  gather(): Promise<Gathered<R>>;
  onReading(process: number, id: number, reading: R): void;
  onGone(process: number): void;
  /** It was started again. */
  onRestart(): void;
}

interface Round {
  readonly id: number;
  readonly answered: Set<number>;
  missing: Set<number>;
  settle: () => void;
}

export function createGathering<R>(options: GatheringOptions, deps: GatheringDeps<R>): Gathering<R> {
  const numbers = Array.from({ length: options.count }, (_, index) => index + 1);
  const last = new Map<number, R>();
  const counts = { rounds: 0, silences: 0, restarts: 0 };
  let kept: Promise<R | undefined> = Promise.resolve(undefined);
  let round: Round | undefined;
  let underWay: Promise<Gathered<R>> | undefined;

  async function everyoneIn({ missing }: Round): Promise<void> {
    if (missing.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, options.deadlineMs);
      if (round === undefined) return;
      round.settle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async function collect(): Promise<Gathered<R>> {
    counts.rounds += 1;
    const mine: Round = {
      id: counts.rounds,
      answered: new Set(),
      missing: new Set(),
      settle: () => undefined,
    };
    round = mine;
    const asked = deps.ask(mine.id);
    mine.missing = new Set(asked.filter((number) => !mine.answered.has(number)));
    await everyoneIn(mine);
    round = undefined;
    counts.silences += mine.missing.size;
    const gone = await kept;
    const silent = numbers.filter((number) => !mine.answered.has(number));
    return {
      readings: [...last.values(), ...(gone === undefined ? [] : [gone])],
      processes: { count: options.count, silent, silences: counts.silences, restarts: counts.restarts },
    };
  }

  function noLonger(process: number): void {
    if (round?.missing.delete(process) === true && round.missing.size === 0) round.settle();
  }

  return {
    gather: async () =>
      (underWay ??= collect().finally(() => {
        underWay = undefined;
      })),
    onReading(process, id, reading) {
      last.set(process, reading);
      if (round?.id !== id) return;
      round.answered.add(process);
      noLonger(process);
    },
    onGone(process) {
      const reading = last.get(process);
      if (reading !== undefined) kept = kept.then(async (before) => deps.keep(before, reading));
      last.delete(process);
      noLonger(process);
    },
    onRestart() {
      counts.restarts += 1;
    },
  };
}
