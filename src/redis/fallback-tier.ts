/**
 * A tier with a second one for when it fails: goes over by itself, comes back by itself, and makes up in
 * the first for what was changed in the second meanwhile. What the second kept from before the first was
 * last there may have been overtaken, and is not served.
 */
import type { Tier, TierStats } from '../cache/tier.ts';
import type { Clock } from '../core/clock.ts';
import type { Stored } from '../core/entry.ts';
import { AppError } from '../errors.ts';
import { makeUp, type Sides } from './make-up.ts';
import { createOutageLedger, type OutageLedger } from './outage-ledger.ts';
import { createPrimaryWatch, type PrimaryWatch, type PrimaryWatchDeps } from './primary-watch.ts';

export interface FallbackTier extends Tier {
  isOnFallback(): boolean;
  /** Makes up for what the primary missed, as far as it goes. Done by itself at the first success, too. */
  catchUp(): Promise<void>;
  stats(): TierStats & { readonly owed: number };
}

type FallbackTierDeps = PrimaryWatchDeps &
  Pick<Sides, 'isFull'> & {
    /** For pauses; nobody sets it. */
    readonly steady: Clock;
  };

/** To find what is made up for meanwhile: it moves once an outage. */
const ATTEMPTS = 4;
/** After an attempt to make up that got stuck. */
const REST_MS = 500;

/** `primary` throws when it fails, and soon: it is guarded by a deadline and a breaker. */
export function createFallbackTier(primary: Tier, fallback: Tier, deps: FallbackTierDeps): FallbackTier {
  const ledger = createOutageLedger();
  const watch = createPrimaryWatch(deps);
  let catchingUp: Promise<void> | undefined;
  let restsUntilMs = Number.NEGATIVE_INFINITY;

  async function catchUp(): Promise<void> {
    // Failed again, or still full: the rest stays in the ledger until a later success.
    catchingUp ??= makeUp({ primary, fallback, ledger, isFull: deps.isFull })
      .catch(() => void (restsUntilMs = deps.steady.nowMs() + REST_MS))
      .finally(() => void (catchingUp = undefined));
    return catchingUp;
  }

  async function ask<T>(
    signal: AbortSignal,
    call: () => Promise<T>,
  ): Promise<{ readonly value: T } | undefined> {
    const answer = await watch.ask(signal, call);
    const isDue = ledger.size() > 0 && deps.steady.nowMs() >= restsUntilMs;
    if (answer !== undefined && isDue) void catchUp();
    return answer;
  }

  const get = createReading({ primary, fallback, ledger, watch, ask });
  const active = (): Tier => (watch.isAway() ? fallback : primary);
  return {
    get name() {
      return active().name;
    },
    has: (key) => (watch.isAway() || ledger.owedOf(key)?.change === 'put') && fallback.has(key),
    get,
    async put(entry, body, signal) {
      const { key } = entry;
      return ledger.change(key, async () => {
        const answer = await ask(signal, async () => primary.put(entry, body, signal));
        const isRefused = answer === undefined || (!answer.value && deps.isFull());
        if (!isRefused) {
          ledger.settle(key);
          return answer.value;
        }
        if (!(await fallback.put(entry, body, signal))) return false;
        ledger.note(key, 'put', entry.storedAtMs);
        // Full, not away: the other instances must not go on with what it had before.
        if (answer !== undefined) await primary.delete(key, signal).catch(() => undefined);
        return true;
      });
    },
    async delete(key, signal) {
      return ledger.change(key, async () => {
        const answer = await ask(signal, async () => primary.delete(key, signal));
        if (answer === undefined) ledger.note(key, 'delete');
        const wasInFallback = await fallback.delete(key, signal);
        if (answer !== undefined) ledger.settle(key);
        // Owed: it may have been there.
        return answer?.value !== false || wasInFallback;
      });
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

interface Reading {
  readonly primary: Tier;
  readonly fallback: Tier;
  readonly ledger: OutageLedger;
  readonly watch: PrimaryWatch;
  readonly ask: PrimaryWatch['ask'];
}

/** The primary's value, unless something newer is owed; the fallback's where that can be trusted. */
function createReading({ primary, fallback, ledger, watch, ask }: Reading): Tier['get'] {
  async function getFallback(key: string, signal: AbortSignal): Promise<Stored | undefined> {
    const stored = await fallback.get(key, signal);
    const isRecent = (stored?.entry.storedAtMs ?? 0) > watch.upAtMs();
    return isRecent || ledger.owedOf(key)?.change === 'put' ? stored : undefined;
  }

  /** `moved`: made up for while it was looked for; the primary may have been asked before, the fallback after. */
  async function getOnce(key: string, signal: AbortSignal): Promise<Stored | 'moved' | undefined> {
    const [owedBefore, wasCleared] = [ledger.owedOf(key), ledger.isCleared(key)];
    const answer = await ask(signal, async () => primary.get(key, signal));
    const [owed, isCleared] = [ledger.owedOf(key), ledger.isCleared(key)];
    const isPaid = (owedBefore !== undefined && owed === undefined) || (wasCleared && !isCleared);
    if (isPaid) return 'moved';
    if (owed?.change === 'delete') return undefined;
    if (answer === undefined || owed !== undefined) {
      const kept = await getFallback(key, signal);
      if (kept !== undefined) return kept;
      if (ledger.owedOf(key) !== owed) return 'moved';
      if (owed !== undefined) return undefined;
    }
    if (isCleared) return undefined;
    if (answer !== undefined) return answer.value;
    throw new AppError('storage_unavailable', 'Redis does not answer, and the disk does not have it.');
  }

  return async (key, signal) => {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const stored = await getOnce(key, signal);
      if (stored !== 'moved') return stored;
    }
    throw new AppError('storage_unavailable', 'It is changed faster than it can be read.');
  };
}
