/** Puts what a lookup found where it was missing, unless the key was changed since the lookup began. */
import { isWhole, type Stored } from '../core/entry.ts';
import type { Found, TierStep } from './lookup.ts';
import type { Flight } from './single-flight.ts';
import type { TierRow, TierSlot } from './tier-row.ts';

/** Into memory at once, then into the given tiers; the steps then say who keeps it. */
export async function keepFound(
  row: TierRow,
  stored: Stored,
  steps: readonly TierStep[],
  into: readonly TierSlot[],
  flight: Flight,
): Promise<Found> {
  const { entry, body } = stored;
  if (!isWhole(body)) return { entry, body, steps };
  const parents = entry.parent === undefined ? [] : [entry.parent];
  const keepers = new Set<string>();
  if (flight.mayStore(parents) && row.memory?.put(entry, body) !== undefined) keepers.add('memory');
  for (const { tier, unsure } of into) {
    const isKept = await row.locks
      .run(entry.key, flight.signal, async () => {
        if (!flight.mayStore(parents) || !(await tier.put(entry, body, flight.signal))) return false;
        unsure.settle(entry.key);
        return true;
      })
      .catch(() => false);
    if (isKept) keepers.add(tier.name);
  }
  return {
    entry,
    body,
    steps: steps.map((step) => (keepers.has(step.tier) ? { ...step, stored: true } : step)),
  };
}
