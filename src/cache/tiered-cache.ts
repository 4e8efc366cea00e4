/**
 * The cache: the one owner of the order memory, tiers, origin. Hits in memory are synchronous; the rest
 * goes through one lookup for each key at a time.
 */
import type { Clock } from '../core/clock.ts';
import { needsRevalidation } from '../core/entry.ts';
import { createKeyedLock } from './keyed-lock.ts';
import { locate, type Place } from './locate.ts';
import type { Cache, Found, Hot, TierStep } from './lookup.ts';
import type { MemoryTier } from './memory-tier.ts';
import type { Origin, OriginStats } from './origin.ts';
import { createSingleFlight } from './single-flight.ts';
import type { Tier, TierStats } from './tier.ts';
import type { TierRow } from './tier-row.ts';
import { createTieredChanges } from './tiered-changes.ts';
import { createTieredLookup } from './tiered-lookup.ts';
import { createUnsureKeys } from './unsure-keys.ts';

export interface TieredCacheParts {
  /** Undefined: nothing is kept in memory (CACHE_ENABLED=false). */
  readonly memory: MemoryTier | undefined;
  /** In the order they are asked. */
  readonly tiers: readonly Tier[];
  readonly origin?: Origin;
  /** False: memory is made to forget, so that what no tier took is not kept. Default true. */
  readonly memoryKeepsAlone?: boolean;
}

export interface TieredCacheStats {
  /** Memory first. */
  readonly tiers: readonly TierStats[];
  readonly origin?: OriginStats;
  /** Lookups that went below memory. */
  readonly lookups: number;
  /** Of these: answered by a lookup that another request had begun. */
  readonly collapsed: number;
  readonly underWay: number;
}

export interface TieredCache extends Cache {
  /** Where a key lies, tier by tier, memory first. Changes nothing; the origin is not asked. */
  locate(key: string, signal: AbortSignal): Promise<readonly Place[]>;
  stats(): TieredCacheStats;
}

/** Who comes later than this does not wait for a lookup that seems to hang. */
const LOOKUP_AGE_MS = 5000;

function createRow({ memory, tiers, origin }: TieredCacheParts, clock: Clock): TierRow {
  return {
    memory,
    slots: tiers.map((tier) => ({ tier, unsure: createUnsureKeys() })),
    origin,
    flights: createSingleFlight({ ageMs: LOOKUP_AGE_MS, nowMs: clock.nowMs }),
    locks: createKeyedLock(),
  };
}

export function createTieredCache(parts: TieredCacheParts, deps: { readonly clock: Clock }): TieredCache {
  const { memory, origin } = parts;
  const row = createRow(parts, deps.clock);
  const has = (key: string): boolean =>
    memory?.peek(key) !== undefined ||
    row.slots.some(({ tier, unsure }) => tier.has(key) && !unsure.has(key));
  const changes = createTieredChanges(row, { has, memoryKeepsAlone: parts.memoryKeepsAlone ?? true });
  const lookUp = createTieredLookup(row, { clock: deps.clock, forget: changes.forget });
  let lookups = 0;
  let collapsedLookups = 0;

  const isFresh = (hot: Hot): boolean =>
    origin === undefined || !needsRevalidation(hot.entry, deps.clock.nowMs());

  function peek(key: string): Hot | undefined {
    if (memory === undefined || origin === undefined) return memory?.get(key);
    const hot = memory.peek(key);
    return hot !== undefined && isFresh(hot) ? memory.get(key) : undefined;
  }

  async function find(key: string, signal: AbortSignal, admit?: () => void): Promise<Found | undefined> {
    const hot = peek(key);
    if (hot !== undefined) {
      return { entry: hot.entry, body: hot.body, steps: [{ tier: 'memory', outcome: 'hit' }] };
    }
    admit?.();
    memory?.noteMiss();
    lookups += 1;
    const { value, collapsed } = await row.flights.run(key, signal, async (flight) =>
      lookUp(key, memory?.peek(key), flight),
    );
    if (!collapsed) return value;
    collapsedLookups += 1;
    return value === undefined ? undefined : { ...value, steps: value.steps.map(asCollapsed) };
  }

  function invalidate(key: string): void {
    row.flights.invalidate(key);
    memory?.delete(key);
    origin?.forget(key);
  }

  function invalidateAll(): void {
    row.flights.invalidateAll();
    memory?.clear();
    origin?.forgetAll();
  }

  function stats(): TieredCacheStats {
    const tiers = row.slots.map(({ tier }) => tier.stats());
    return {
      tiers: memory === undefined ? tiers : [memory.stats(), ...tiers],
      ...(origin === undefined ? {} : { origin: origin.stats() }),
      lookups,
      collapsed: collapsedLookups,
      underWay: row.flights.size(),
    };
  }

  return {
    peek,
    find,
    has,
    put: changes.put,
    delete: changes.delete,
    clear: changes.clear,
    deleteWhere: changes.deleteWhere,
    invalidate,
    invalidateAll,
    locate: async (key, signal) => locate(row, key, signal),
    stats,
  };
}

/** The memory was asked by each for itself. */
function asCollapsed(step: TierStep): TierStep {
  return step.tier === 'memory' ? step : { ...step, collapsed: true };
}
