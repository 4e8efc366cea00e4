/**
 * A tier with a second one for when it fails: goes over by itself, comes back by itself, and makes up in
 * the first for what was changed in the second meanwhile. What the second kept from before the first was
 * last there may have been overtaken, and is not served.
 */
import type { Tier, TierStats } from '../cache/tier.ts';
import type { Stored } from '../core/entry.ts';
import { makeUp } from './make-up.ts';
import { createOutageLedger } from './outage-ledger.ts';
import { createPrimaryWatch, type PrimaryWatchDeps } from './primary-watch.ts';

export interface FallbackTier extends Tier {
  isOnFallback(): boolean;
  /** Makes up for what the primary missed, as far as it goes. Done by itself at the first success, too. */
  catchUp(): Promise<void>;
  stats(): TierStats & { readonly owed: number };
}

/** `primary` throws when it fails, and soon: it is guarded by a deadline and a breaker. */
export function createFallbackTier(primary: Tier, fallback: Tier, deps: PrimaryWatchDeps): FallbackTier {
  const ledger = createOutageLedger();
  const watch = createPrimaryWatch(deps);
  let catchingUp: Promise<void> | undefined;

  async function catchUp(): Promise<void> {
    const release = (): void => {
      catchingUp = undefined;
    };
    // Failed again: the rest stays in the ledger until the next success.
    catchingUp ??= makeUp(primary, fallback, ledger).then(release, release);
    return catchingUp;
  }

  async function ask<T>(
    signal: AbortSignal,
    call: () => Promise<T>,
  ): Promise<{ readonly value: T } | undefined> {
    const answer = await watch.ask(signal, call);
    if (answer !== undefined && ledger.size() > 0) void catchUp();
    return answer;
  }

  async function getFallback(key: string, signal: AbortSignal): Promise<Stored | undefined> {
    const stored = await fallback.get(key, signal);
    const isRecent = (stored?.entry.storedAtMs ?? 0) > watch.upAtMs();
    return isRecent || ledger.changeOf(key) === 'put' ? stored : undefined;
  }

  const active = (): Tier => (watch.isAway() ? fallback : primary);
  return {
    get name() {
      return active().name;
    },
    has: (key) => (watch.isAway() || ledger.changeOf(key) === 'put') && fallback.has(key),
    async get(key, signal) {
      const answer = await ask(signal, async () => primary.get(key, signal));
      const change = ledger.changeOf(key);
      if (change === 'delete') return undefined;
      if (answer === undefined || change === 'put') return getFallback(key, signal);
      return ledger.isCleared(key) ? undefined : answer.value;
    },
    async put(entry, body, signal) {
      // Before it is sent: what is still owed of the key must not be sent after it.
      ledger.settle(entry.key);
      const answer = await ask(signal, async () => primary.put(entry, body, signal));
      if (answer !== undefined) return answer.value;
      ledger.note(entry.key, 'put');
      return fallback.put(entry, body, signal);
    },
    async delete(key, signal) {
      ledger.settle(key);
      const answer = await ask(signal, async () => primary.delete(key, signal));
      if (answer === undefined) ledger.note(key, 'delete');
      const wasInFallback = await fallback.delete(key, signal);
      return answer?.value === true || wasInFallback;
    },
    async deleteWhere(test, signal) {
      const answer = await ask(signal, async () => primary.deleteWhere(test, signal));
      if (answer === undefined) ledger.noteClear(test);
      const removed = await fallback.deleteWhere(test, signal);
      return answer?.value ?? removed;
    },
    childrenOf: (key) => active().childrenOf?.(key) ?? [],
    isOnFallback: watch.isAway,
    catchUp,
    stats: () => ({ ...active().stats(), owed: ledger.size() }),
    async close() {
      await Promise.all([primary.close(), fallback.close()]);
    },
  };
}
