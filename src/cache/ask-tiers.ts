/** Asks the tiers in their order until one has the key. A failure is a miss that is called an error. */
import type { Stored } from '../core/entry.ts';
import { isTierFailure } from '../errors.ts';
import type { TierStep } from './lookup.ts';
import type { TierRow, TierSlot } from './tier-row.ts';

export interface TierAnswer {
  readonly steps: readonly TierStep[];
  readonly stored: Stored | undefined;
  /** The slots before the one that had it; all of them where none had. */
  readonly without: readonly TierSlot[];
}

interface SlotAnswer {
  readonly outcome: TierStep['outcome'];
  readonly stored?: Stored;
}

export async function askTiers(
  row: TierRow,
  key: string,
  isFresh: (stored: Stored) => boolean,
  signal: AbortSignal,
): Promise<TierAnswer> {
  const { memory, slots } = row;
  const steps: TierStep[] = memory === undefined ? [] : [{ tier: 'memory', outcome: 'miss' }];
  for (const [place, slot] of slots.entries()) {
    const { outcome, stored } = await askSlot(row, slot, key, isFresh, signal);
    steps.push({ tier: slot.tier.name, outcome });
    if (stored !== undefined) return { steps, stored, without: slots.slice(0, place) };
  }
  return { steps, stored: undefined, without: slots };
}

async function askSlot(
  row: TierRow,
  slot: TierSlot,
  key: string,
  isFresh: (stored: Stored) => boolean,
  signal: AbortSignal,
): Promise<SlotAnswer> {
  try {
    if (slot.unsure.has(key)) {
      await row.locks.run(key, signal, async () => settleUnsure(slot, key, signal));
    }
    const stored = await slot.tier.get(key, signal);
    if (stored === undefined) return { outcome: 'miss' };
    return { outcome: isFresh(stored) ? 'hit' : 'stale', stored };
  } catch (error) {
    if (signal.aborted || !isTierFailure(error)) throw error;
    return { outcome: 'error' };
  }
}

/** What the tier may have of the key is older than a change that it missed: it must go first. */
async function settleUnsure({ tier, unsure }: TierSlot, key: string, signal: AbortSignal): Promise<void> {
  if (!unsure.has(key)) return;
  await tier.delete(key, signal);
  unsure.settle(key);
}
