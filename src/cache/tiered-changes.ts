/**
 * Changes of the whole cache: every tier, under the lock of the key. Lookups that are under way are
 * invalidated before and after: what they read in between may be neither old nor new for sure.
 *
 * Once begun a change is carried through: a caller that leaves must not leave the tiers disagreeing.
 */
import type { Entry } from '../core/entry.ts';
import { AppError } from '../errors.ts';
import type { Cache, KeepWhere } from './lookup.ts';
import type { Origin } from './origin.ts';
import type { Flight } from './single-flight.ts';
import type { TierRow, TierSlot } from './tier-row.ts';
import { createRemoval, deleteInTier, namesOf, uninterrupted } from './tiered-removal.ts';

/** What the cache says of changes, and one that only a lookup makes. */
export interface TieredChanges extends Pick<Cache, 'put' | 'delete' | 'clear' | 'deleteWhere'> {
  /** Out of every tier, but not from the origin: that is where it was found gone. */
  forget(key: string, flight: Flight): Promise<void>;
}

export interface TieredChangesOptions {
  readonly has: (key: string) => boolean;
  /** Whether what only memory took counts as kept. */
  readonly memoryKeepsAlone: boolean;
}

export function createTieredChanges(
  row: TierRow,
  { has, memoryKeepsAlone }: TieredChangesOptions,
): TieredChanges {
  const { memory, slots, origin, flights, locks } = row;
  const { removeHere, removeForSure } = createRemoval(row);

  async function put(
    entry: Entry,
    body: Uint8Array,
    signal: AbortSignal,
    where: KeepWhere = 'anywhere',
  ): Promise<{ readonly replaced: boolean }> {
    return locks.run(entry.key, signal, async () => {
      const replaced = has(entry.key);
      flights.invalidate(entry.key);
      const marked = await putAtOrigin(origin, entry, body);
      const lost: TierSlot[] = [];
      for (const slot of slots) if (!(await putInTier(slot, marked, body))) lost.push(slot);
      const isBehind = marked !== entry || lost.length < slots.length;
      const mustBeBehind = !memoryKeepsAlone || (where === 'behind-memory' && slots.length > 0);
      if (mustBeBehind && !isBehind) {
        // A tier that did not answer in time may have taken it: nobody knows which it has.
        if (!memoryKeepsAlone) memory?.delete(entry.key);
        throw refusal(lost);
      }
      const isHot = memory?.put(marked, body) !== undefined;
      if (!isHot && !isBehind) throw refusal(lost);
      // A tier that did not take the new value must not bring back the one before it.
      for (const slot of lost) await deleteInTier(slot, entry.key);
      flights.invalidate(entry.key);
      return { replaced };
    });
  }

  async function remove(key: string, signal: AbortSignal): Promise<boolean> {
    return locks.run(key, signal, async () => {
      const wasAtOrigin = await deleteAtOrigin(origin, key);
      return (await removeForSure(key)) || wasAtOrigin;
    });
  }

  async function clear(key: string, signal: AbortSignal): Promise<boolean> {
    return locks.run(key, signal, async () => {
      origin?.forget(key);
      return removeForSure(key);
    });
  }

  async function forget(key: string, flight: Flight): Promise<void> {
    await locks.run(key, flight.signal, async () => {
      // Somebody put it here since the origin was asked: that is newer.
      if (flight.mayStore()) await removeHere(key);
    });
  }

  async function deleteWhere(test: (key: string) => boolean, signal: AbortSignal): Promise<number> {
    const hot = new Set<string>();
    flights.invalidateAll();
    await memory?.deleteWhere((key) => test(key) && hot.add(key).has(key));
    let removed = 0;
    for (const slot of slots) removed += await deleteWhereInTier(slot, test, hot, signal);
    flights.invalidateAll();
    await memory?.deleteWhere(test);
    // Written while this ran: one tier may have lost it, another not.
    for (const key of locks.busyKeys()) if (test(key)) await clear(key, signal);
    return removed + hot.size;
  }

  return { put, delete: remove, clear, deleteWhere, forget };
}

async function putAtOrigin(origin: Origin | undefined, entry: Entry, body: Uint8Array): Promise<Entry> {
  if (origin === undefined || !origin.covers(entry.key)) return entry;
  origin.forget(entry.key);
  if (origin.put === undefined || entry.origin !== undefined) return entry;
  return origin.put(entry, body, uninterrupted());
}

async function deleteAtOrigin(origin: Origin | undefined, key: string): Promise<boolean> {
  if (origin === undefined || !origin.covers(key)) return false;
  origin.forget(key);
  return (await origin.delete?.(key, uninterrupted())) ?? false;
}

async function putInTier(slot: TierSlot, entry: Entry, body: Uint8Array): Promise<boolean> {
  try {
    const isKept = await slot.tier.put(entry, body, uninterrupted());
    if (isKept) slot.unsure.settle(entry.key);
    return isKept;
  } catch {
    return false;
  }
}

function refusal(lost: readonly TierSlot[]): AppError {
  const detail = `Nothing was accepted: not taken by ${namesOf(lost)}.`;
  return new AppError('storage_unavailable', lost.length === 0 ? undefined : detail);
}

/** The number removed; takes from `hot` what this tier had too, so that no key counts twice. */
async function deleteWhereInTier(
  { tier }: TierSlot,
  test: (key: string) => boolean,
  hot: Set<string>,
  signal: AbortSignal,
): Promise<number> {
  const accepts = (key: string): boolean => {
    if (!test(key)) return false;
    hot.delete(key);
    return true;
  };
  return tier.deleteWhere(accepts, signal);
}
