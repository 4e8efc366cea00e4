/**
 * The memory tier: synchronous lookups, expiry, counters, over a store under a budget of bytes and of
 * entries. It knows nothing of the other tiers.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../core/clock.ts';
import { isExpired, type Entry } from '../core/entry.ts';
import type { EvictionPolicy } from './eviction-policy.ts';
import { createHotStore, ENTRY_BYTES, type HotSlot, type HotStore } from './hot-store.ts';
import type { Hot } from './lookup.ts';
import { createLruPolicy } from './lru-policy.ts';
import { createSievePolicy } from './sieve-policy.ts';
import type { Child, TierStats } from './tier.ts';

export interface MemoryTierOptions {
  readonly limitBytes: number;
  readonly limitEntries: number;
  readonly policy?: 'lru' | 'sieve';
  /** Told of each entry that leaves for want of room. */
  readonly onEvicted?: (key: string) => void;
}

export interface MemoryTier {
  readonly name: 'memory';
  /** Counts a hit, or nothing. Counts as a use. Allocates nothing. */
  get(key: string): Hot | undefined;
  /** As `get`, but leaves order and counters alone. */
  peek(key: string): Hot | undefined;
  /** Counts a miss: a lookup that had to go on to the tiers. */
  noteMiss(): void;
  /** Undefined: over a quarter of the budget, or expired; what the key had before is gone all the same. */
  put(entry: Entry, body: Uint8Array): Hot | undefined;
  /** With everything whose entry names the key as its parent. */
  delete(key: string): boolean;
  /** In slices, a turn of the event loop between them. */
  deleteWhere(test: (key: string) => boolean): Promise<number>;
  clear(): void;
  /** What it has that names the key as its parent. */
  childrenOf(key: string): readonly Child[];
  /** Hottest first. */
  keys(): string[];
  stats(): TierStats;
}

/** Two milliseconds: hits wait for no longer. */
const SLICE_KEYS = 1024;

export function createMemoryTier(options: MemoryTierOptions, clock: Clock): MemoryTier {
  const { limitBytes } = options;
  const limitEntries = Math.max(1, Math.min(options.limitEntries, Math.floor(limitBytes / ENTRY_BYTES)));
  const policy: EvictionPolicy<HotSlot> =
    options.policy === 'sieve' ? createSievePolicy() : createLruPolicy(limitEntries);
  const store = createHotStore(limitBytes, limitEntries, policy, options.onEvicted);
  let hits = 0;
  let misses = 0;

  function live(slot: HotSlot | undefined): Hot | undefined {
    if (slot === undefined) return undefined;
    const { hot } = slot;
    if (hot.entry.expiresAtMs === 0 || !isExpired(hot.entry, clock.nowMs())) return hot;
    store.drop(hot.entry.key);
    return undefined;
  }

  function get(key: string): Hot | undefined {
    const hot = live(policy.get(key));
    if (hot !== undefined) hits += 1;
    return hot;
  }

  function put(entry: Entry, body: Uint8Array): Hot | undefined {
    // Renderings of bytes that the key does not have any more: nobody asks for them again.
    store.dropChildren(entry.key, (child) => child.parentVersion !== entry.version);
    if (!isExpired(entry, clock.nowMs())) return store.add(entry, body);
    store.drop(entry.key);
    return undefined;
  }

  function remove(key: string): boolean {
    const known = live(policy.peek(key)) !== undefined;
    store.drop(key);
    store.dropChildren(key, () => true);
    return known;
  }

  return {
    name: 'memory',
    get,
    peek: (key) => live(policy.peek(key)),
    noteMiss: () => {
      misses += 1;
    },
    put,
    delete: remove,
    deleteWhere: async (test) => dropWhere(policy, store, test),
    clear: store.clear,
    childrenOf: (key) =>
      store.childrenOf(key).map((child) => ({ key: child, bytes: policy.peek(child)?.hot.entry.bytes ?? 0 })),
    keys: () => policy.keys(),
    stats: () => {
      const [bytes, evictions] = [store.bytes(), store.evictions()];
      return {
        name: 'memory',
        entries: policy.size(),
        bytes,
        limitBytes,
        hits,
        misses,
        evictions,
        errors: 0,
      };
    },
  };
}

/** Walks without a copy of the keys: one of a million held the loop for 200 ms. */
async function dropWhere(
  policy: EvictionPolicy<HotSlot>,
  store: HotStore,
  test: (key: string) => boolean,
): Promise<number> {
  let removed = 0;
  let seen = 0;
  const known = policy.size();
  for (const key of policy.walk()) {
    // What is put meanwhile comes after the deletion.
    if (seen === known) break;
    seen += 1;
    if (test(key) && store.drop(key)) removed += 1;
    if (seen % SLICE_KEYS === 0) await nextTurn();
  }
  return removed;
}
