/** What every action of the load has at hand. */
import type { Answered, Ask, Failure } from './ask.ts';
import type { Bodies } from './bodies.ts';
import type { Draw } from './draw.ts';
import type { Ledger } from './ledger.ts';
import type { Tally } from './tally.ts';

/** A final image that was accepted, as its followers should hear of it. */
export interface Final {
  readonly topic: string;
  readonly id: string;
  readonly digest: string;
  readonly beganMs: number;
  readonly doneMs: number;
}

export interface Stage {
  readonly ask: Ask;
  readonly port: number;
  readonly draw: Draw;
  readonly bodies: Bodies;
  readonly images: Ledger;
  readonly values: Ledger;
  readonly tally: Tally;
  /** True: what was accepted may be out of reach at the moment, or gone with what was broken on purpose. */
  isExcused(askedMs: number): boolean;
  /** True: what is taken in now may lie in memory alone. */
  mayVanish(askedMs: number): boolean;
  readonly finals: Final[];
  /** From an accepted upload to its event at a reader that reads, at the most. */
  readonly lateMs: number;
}

export type Action = (stage: Stage) => Promise<void>;

/** Of each hundred or so actions. */
export type Weighted = readonly (readonly [weight: number, kind: string, action: Action])[];

const IDS = 240;
const TOPICS = 12;

export function allIds(): string[] {
  return Array.from({ length: IDS }, (_, at) => `soak/${at}`);
}

/** Few ids get most of the requests, as in life. */
export function someId({ draw }: Stage): string {
  return `soak/${Math.floor(IDS * draw.next() ** 2)}`;
}

export function someTopic({ draw }: Pick<Stage, 'draw'>): string {
  return `crowd:${draw.below(TOPICS)}`;
}

/** Counts it, and undefined when it is no answer to look at: overload may happen, a broken connection may not. */
export function received(stage: Stage, kind: string, got: Answered | Failure): Answered | undefined {
  if (typeof got === 'string') {
    stage.tally.count(kind, got);
    if (got !== 'left') stage.tally.wrong(`${kind}: the connection was ${got}`);
    return undefined;
  }
  stage.tally.count(kind, got.status);
  if (got.status === 503) return undefined;
  if (got.status >= 500) {
    stage.tally.wrong(`${kind}: ${got.status} ${got.bytes.toString().slice(0, 200)}`);
    return undefined;
  }
  return got;
}

/** Whether it is the 404 that it may be; a 404 that it may not be is noted. */
export function isMissing(
  stage: Stage,
  kind: string,
  id: string,
  got: Answered,
  ledger = stage.images,
): boolean {
  if (got.status !== 404) return false;
  const may = ledger.mayBe(id, undefined, got.askedMs) || stage.isExcused(got.askedMs);
  if (!may) stage.tally.wrong(`${kind} ${id}: 404, but it was accepted`);
  return true;
}

export function expectStatus(stage: Stage, kind: string, got: Answered, ...good: readonly number[]): boolean {
  if (good.includes(got.status)) return true;
  stage.tally.wrong(
    `${kind}: ${got.status} instead of ${good.join(' or ')}: ${got.bytes.toString().slice(0, 200)}`,
  );
  return false;
}
