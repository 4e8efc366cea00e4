/** The tiers behind memory, in the order they are asked, as lookups and changes share them. Types only. */
import type { MemoryTier } from './memory-tier.ts';
import type { KeyedLock } from './keyed-lock.ts';
import type { Found } from './lookup.ts';
import type { Origin } from './origin.ts';
import type { SingleFlight } from './single-flight.ts';
import type { Tier } from './tier.ts';
import type { UnsureKeys } from './unsure-keys.ts';

export interface TierRow {
  /** Undefined: CACHE_ENABLED=false. */
  readonly memory: MemoryTier | undefined;
  readonly slots: readonly TierSlot[];
  readonly origin: Origin | undefined;
  readonly flights: SingleFlight<Found | undefined>;
  /** Changes of one key happen one after the other in all tiers, so that the tiers agree. */
  readonly locks: KeyedLock;
}

export interface TierSlot {
  readonly tier: Tier;
  readonly unsure: UnsureKeys;
}
