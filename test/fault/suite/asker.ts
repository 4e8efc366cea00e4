/** Asks the server and counts what became of it: good, refused, broken, hung. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer, Ask, FaultServer } from './fault-server.ts';

export interface Tally {
  readonly requests: number;
  /** By status; `broken`: the connection went, `hung`: no answer by the deadline. */
  readonly refused: ReadonlyMap<string, number>;
  /** Each is a fault of the server's: bytes that were never accepted, an older version, a lost image. */
  readonly wrong: readonly string[];
}

/** Statuses; a function is asked when the answer is there. */
type Good = readonly number[] | (() => readonly number[]);

export interface Asker {
  /** Undefined: it was refused, or broke, and is counted. A 404 that is not `good` is a lost image. */
  ask(path: string, good: Good, ask?: Ask): Promise<Answer | undefined>;
  wrong(what: string): void;
  tally(): Tally;
  more(requests: number): Promise<void>;
  clean(requests: number): Promise<void>;
}

/** After a refusal: a server that refuses at once would be asked by nobody else. */
const PAUSE_MS = 10;

const isTimeout = (error: unknown): boolean =>
  error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError');

export function createAsker(server: FaultServer): Asker {
  const refused = new Map<string, number>();
  const wrong: string[] = [];
  let requests = 0;
  let inARow = 0;
  let waiters: (() => void)[] = [];

  function settle(kind: string | undefined): void {
    requests += 1;
    inARow = kind === undefined ? inARow + 1 : 0;
    if (kind !== undefined) refused.set(kind, (refused.get(kind) ?? 0) + 1);
    const woken = waiters;
    waiters = [];
    for (const wake of woken) wake();
  }
  async function until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => void waiters.push(resolve));
  }
  async function attempt(path: string, init: Ask): Promise<Answer | 'hung' | 'broken'> {
    try {
      return await server.ask(path, init);
    } catch (error) {
      return isTimeout(error) ? 'hung' : 'broken';
    }
  }

  return {
    async ask(path, good, init = {}) {
      const answer = await attempt(path, init);
      const isGood = (status: number): boolean =>
        (typeof good === 'function' ? good() : good).includes(status);
      if (typeof answer !== 'string' && isGood(answer.status)) {
        settle(undefined);
        return answer;
      }
      if (typeof answer !== 'string' && answer.status === 404) wrong.push(`${path}: 404, but was accepted`);
      settle(typeof answer === 'string' ? answer : String(answer.status));
      await sleep(PAUSE_MS);
      return undefined;
    },
    wrong: (what) => void wrong.push(what),
    tally: () => ({ requests, refused: new Map(refused), wrong: [...wrong] }),
    async more(count) {
      const target = requests + count;
      await until(() => requests >= target);
    },
    async clean(count) {
      inARow = 0;
      await until(() => inARow >= count);
    },
  };
}
