/** Removes a key from memory and every tier, under the lock of the key. Who could not is named. */
import { AppError } from '../errors.ts';
import type { TierRow, TierSlot } from './tier-row.ts';

interface Removal {
  removeHere(key: string): Promise<{ readonly existed: boolean; readonly left: readonly TierSlot[] }>;
  /** AppError storage_unavailable when a tier could not. */
  removeForSure(key: string): Promise<boolean>;
}

export function createRemoval({ memory, slots, flights }: TierRow): Removal {
  async function removeHere(key: string): Promise<{ existed: boolean; left: readonly TierSlot[] }> {
    flights.invalidate(key);
    let existed = memory?.delete(key) ?? false;
    const left: TierSlot[] = [];
    for (const slot of slots) {
      const outcome = await deleteInTier(slot, key);
      if (outcome === 'failed') left.push(slot);
      existed ||= outcome === 'removed';
    }
    flights.invalidate(key);
    memory?.delete(key);
    return { existed, left };
  }

  /** A tier that could not will not be asked for the key any more, but its next run would have it again. */
  async function removeForSure(key: string): Promise<boolean> {
    const { existed, left } = await removeHere(key);
    if (left.length === 0) return existed;
    throw new AppError('storage_unavailable', `Not served any more, but still kept by: ${namesOf(left)}.`);
  }

  return { removeHere, removeForSure };
}

export async function deleteInTier(slot: TierSlot, key: string): Promise<'removed' | 'absent' | 'failed'> {
  try {
    const existed = await slot.tier.delete(key, uninterrupted());
    slot.unsure.settle(key);
    return existed ? 'removed' : 'absent';
  } catch {
    slot.unsure.add(key);
    return 'failed';
  }
}

export function namesOf(slots: readonly TierSlot[]): string {
  return slots.map(({ tier }) => tier.name).join(', ');
}

export function uninterrupted(): AbortSignal {
  return new AbortController().signal;
}
