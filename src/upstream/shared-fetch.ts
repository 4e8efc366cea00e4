/** Requests for one address wait for one answer, unless answers turned out to be for their askers alone. */
import { createSingleFlight } from '../cache/single-flight.ts';
import type { Clock } from '../core/clock.ts';
import { createRecent } from '../core/recent.ts';
import type { ApiFetch, FetchOutcome } from './api-fetch.ts';
import type { ApiRequest } from './api-message.ts';
import type { ApiPlace, ApiStore, KeptResponse } from './api-store.ts';

/** One request for an address that is cached, and what is kept of it. */
export interface Lookup {
  readonly request: ApiRequest;
  readonly target: string;
  readonly ttlMs: number;
  readonly place: ApiPlace;
  readonly known: KeptResponse | undefined;
}

/** How long requests for what turned out not to be for everybody do not wait for each other. */
const PASSING_MS = 60_000;
const REMEMBERED_MAX = 10_000;

export interface SharedFetch {
  /** Waits for another request's answer where that can be its own too. */
  fetch(
    lookup: Lookup,
    signal: AbortSignal,
  ): Promise<{ readonly outcome: FetchOutcome; readonly collapsed: boolean }>;
  invalidate(primary: string): void;
  collapsed(): number;
}

export interface SharedFetchDeps {
  readonly fetch: ApiFetch;
  readonly store: Pick<ApiStore, 'place'>;
  readonly clock: Clock;
}

export function createSharedFetch({ fetch, store, clock }: SharedFetchDeps): SharedFetch {
  const flights = createSingleFlight<FetchOutcome>();
  const passing = createRecent<number>(REMEMBERED_MAX);
  let collapsedCount = 0;

  async function run(lookup: Lookup, signal: AbortSignal) {
    const { key, primary } = lookup.place;
    const landed = await flights.run(key, signal, async (flight) => {
      const outcome = await fetch({ ...lookup, mayStore: () => flight.mayStore([primary]) }, flight.signal);
      if (outcome.kind === 'passing') {
        passing.set(primary, clock.nowMs() + PASSING_MS);
        // Whoever it was for has left; nobody else may have it.
        if (signal.aborted) outcome.response.discard();
      }
      return outcome;
    });
    if (landed.collapsed) collapsedCount += 1;
    return { outcome: landed.value, collapsed: landed.collapsed };
  }

  return {
    async fetch(lookup, signal) {
      const isPassing = (passing.get(lookup.place.primary) ?? 0) > clock.nowMs();
      if (!isPassing) {
        const first = await run(lookup, signal);
        if (!first.collapsed || isFor(lookup.request, first.outcome, store)) return first;
      }
      // It varies, or was for somebody else alone: this request asks for itself.
      return { outcome: await fetch({ ...lookup, mayStore: () => true }, signal), collapsed: false };
    },
    invalidate: flights.invalidate,
    collapsed: () => collapsedCount,
  };
}

function isFor(request: ApiRequest, outcome: FetchOutcome, store: Pick<ApiStore, 'place'>): boolean {
  return outcome.kind === 'kept' && store.place(request, outcome.place.varies).key === outcome.place.key;
}
