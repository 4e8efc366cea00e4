/**
 * A lookup below memory: the tiers in their order, then the origin. What was found fills the faster
 * tiers. Runs once at a time for each key; who waits for it is single-flight's business.
 */
import type { Clock } from '../core/clock.ts';
import { needsRevalidation, type Stored } from '../core/entry.ts';
import { AppError } from '../errors.ts';
import { askTiers, type TierAnswer } from './ask-tiers.ts';
import { keepFound } from './keep-found.ts';
import type { Found, Hot, TierStep } from './lookup.ts';
import type { Origin } from './origin.ts';
import type { Flight } from './single-flight.ts';
import type { TierRow } from './tier-row.ts';

export interface TieredLookupDeps {
  readonly clock: Clock;
  /** Out of every tier here: the origin says that the key is gone. */
  readonly forget: (key: string, flight: Flight) => Promise<void>;
}

/** `stale`: what memory has, where its mark of the origin is not fresh any more. */
export type TieredLookup = (
  key: string,
  stale: Hot | undefined,
  flight: Flight,
) => Promise<Found | undefined>;

export function createTieredLookup(row: TierRow, deps: TieredLookupDeps): TieredLookup {
  const isFresh = ({ entry }: Stored): boolean =>
    row.origin === undefined || !needsRevalidation(entry, deps.clock.nowMs());

  async function lookUp(key: string, stale: Hot | undefined, flight: Flight): Promise<Found | undefined> {
    const answer: TierAnswer =
      stale === undefined
        ? await askTiers(row, key, isFresh, flight.signal)
        : { steps: [{ tier: 'memory', outcome: 'stale' }], stored: stale, without: [] };
    const { stored, steps, without } = answer;
    const isDone = stored !== undefined && isFresh(stored);
    if (!isDone && row.origin?.covers(key) === true) return askOrigin(row.origin, key, answer, flight);
    return stored === undefined ? missing(steps) : keepFound(row, stored, steps, without, flight);
  }

  async function askOrigin(
    origin: Origin,
    key: string,
    known: TierAnswer,
    flight: Flight,
  ): Promise<Found | undefined> {
    const answer = await origin.fetch(key, known.stored?.entry, flight.signal);
    const isStale = answer.kind === 'unchanged' && answer.stale;
    const step: TierStep = { tier: origin.name, outcome: isStale ? 'stale' : 'hit' };
    const steps = [...known.steps, step];
    switch (answer.kind) {
      case 'missing':
        if (known.stored !== undefined) await deps.forget(key, flight);
        // Where images are handed over there, too, it knows them all.
        return origin.put === undefined ? missing(known.steps) : undefined;
      case 'unchanged': {
        if (known.stored === undefined) return undefined;
        // Its new mark goes to memory only: a file would be written anew for the sake of a date.
        const marked = { entry: answer.entry, body: known.stored.body };
        return keepFound(row, marked, steps, known.without, flight);
      }
      case 'whole':
        return keepFound(row, answer, steps, row.slots, flight);
      case 'large':
        // It is another body than the tiers have, and comes to them by itself: until then they have none.
        if (known.stored !== undefined) await deps.forget(key, flight);
        return { entry: answer.entry, body: answer.body, steps };
    }
  }

  return lookUp;
}

/** A tier that did not answer may have it: only where all did is it sure that nobody has. */
function missing(steps: readonly TierStep[]): undefined {
  if (!steps.some(({ outcome }) => outcome === 'error')) return undefined;
  throw new AppError('storage_unavailable', 'A tier that may have it does not answer.');
}
