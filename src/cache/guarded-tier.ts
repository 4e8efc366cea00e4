/**
 * A tier that may be far away, made safe to ask: every call has a deadline, and a breaker keeps callers
 * from it while it fails. It still throws for a failure, as every tier does: who asks makes it a miss.
 */
import type { Clock } from '../core/clock.ts';
import { AppError, isTierFailure } from '../errors.ts';
import { createBreaker, type BreakerOptions, type BreakerState, type BreakerStats } from './breaker.ts';
import type { Tier } from './tier.ts';

export interface GuardOptions {
  readonly deadlineMs: number;
  /** For deleteWhere, which walks every key. */
  readonly bulkDeadlineMs: number;
  readonly breaker: BreakerOptions;
}

export interface GuardDeps {
  readonly clock: Clock;
  /** Called once per change: the log line, and the history on the dashboard. */
  readonly onChange: (tier: string, to: BreakerState, from: BreakerState) => void;
  /** It did what it was asked for. Called each time. */
  readonly onAnswer?: () => void;
}

export interface GuardedTier extends Tier {
  /** There is reason to think that it works again: the next call may try. */
  wake(): void;
  breaker(): BreakerStats;
}

const ONCE = { once: true };
const nothing = (): void => undefined;

export function createGuardedTier(tier: Tier, options: GuardOptions, deps: GuardDeps): GuardedTier {
  const breaker = createBreaker(options.breaker, deps.clock, (to, from) =>
    deps.onChange(tier.name, to, from),
  );

  async function guard<T>(
    deadlineMs: number,
    signal: AbortSignal,
    call: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    signal.throwIfAborted();
    const pass = breaker.enter();
    if (pass === undefined) throw new AppError('storage_unavailable', `The ${tier.name} tier is resting.`);
    // Not AbortSignal.any, which costs as much as asking Redis for the whole.
    const both = new AbortController();
    let isLate = false;
    let outcome: 'ok' | 'failed' | 'neutral' = 'failed';
    let timer: NodeJS.Timeout | undefined;
    let leave = nothing;
    try {
      // One promise for all that may end it: every lookup below memory comes through here.
      const result = await new Promise<T>((resolve, reject) => {
        const giveUp = (reason: unknown): void => {
          both.abort(reason);
          reject(reason);
        };
        leave = () => giveUp(signal.reason);
        signal.addEventListener('abort', leave, ONCE);
        timer = setTimeout(() => {
          isLate = true;
          giveUp(tooSlow(tier.name));
        }, deadlineMs);
        call(both.signal).then(resolve, reject);
      });
      outcome = 'ok';
      deps.onAnswer?.();
      return result;
    } catch (error) {
      const hasLeft = signal.aborted && !isLate;
      if (hasLeft || !isTierFailure(error)) outcome = 'neutral';
      throw error;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', leave);
      pass.settle(outcome);
    }
  }

  const { deadlineMs, bulkDeadlineMs } = options;
  return {
    name: tier.name,
    has: (key) => tier.has(key),
    get: async (key, signal) => guard(deadlineMs, signal, async (both) => tier.get(key, both)),
    put: async (entry, body, signal) =>
      guard(deadlineMs, signal, async (both) => tier.put(entry, body, both)),
    delete: async (key, signal) => guard(deadlineMs, signal, async (both) => tier.delete(key, both)),
    deleteWhere: async (test, signal) =>
      guard(bulkDeadlineMs, signal, async (both) => tier.deleteWhere(test, both)),
    stats: () => ({ ...tier.stats(), errors: breaker.stats().failures }),
    close: async () => tier.close(),
    wake: breaker.wake,
    breaker: breaker.stats,
  };
}

function tooSlow(name: string): AppError {
  return new AppError('storage_unavailable', `The ${name} tier did not answer in time.`);
}
