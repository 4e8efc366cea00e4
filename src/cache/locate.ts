/** Where a key lies: every tier is asked, for an operator who looks. Fills no tier and starts no flight. */
import type { Entry } from '../core/entry.ts';
import type { TierRow, TierSlot } from './tier-row.ts';
import type { Child } from './tier.ts';

export interface Place {
  readonly tier: string;
  readonly entry: Entry | undefined;
  /** The tier could not say, or may not be believed: a change there did not go through. */
  readonly unsure: boolean;
  /** Made from it, as far as the tier knows them without asking anybody. */
  readonly children: readonly Child[];
}

async function askSlot({ tier, unsure }: TierSlot, key: string, signal: AbortSignal): Promise<Place> {
  const children = tier.childrenOf?.(key) ?? [];
  const asked = await tier.get(key, signal).then(
    (stored) => ({ entry: stored?.entry, failed: false }),
    () => ({ entry: undefined, failed: true }),
  );
  signal.throwIfAborted();
  const isUnsure = asked.failed || unsure.has(key);
  return { tier: tier.name, entry: isUnsure ? undefined : asked.entry, unsure: isUnsure, children };
}

export async function locate(row: TierRow, key: string, signal: AbortSignal): Promise<readonly Place[]> {
  const { memory, slots } = row;
  const below = Promise.all(slots.map(async (slot) => askSlot(slot, key, signal)));
  if (memory === undefined) return below;
  const hot: Place = {
    tier: memory.name,
    entry: memory.peek(key)?.entry,
    unsure: false,
    children: memory.childrenOf(key),
  };
  return [hot, ...(await below)];
}
