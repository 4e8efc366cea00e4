/**
 * Keeps callers from something that fails: after several failures in a row it opens (nobody gets
 * through), after a pause one call probes, and its outcome closes or re-opens it with twice the pause.
 * It knows no timers: time passes when somebody asks.
 */
import type { Clock } from '../core/clock.ts';

export type BreakerState = 'closed' | 'open' | 'half-open';

export interface BreakerOptions {
  readonly failuresToOpen: number;
  readonly pauseMs: number;
  readonly pauseMsMax: number;
}

/** One call's way through; settled exactly once. */
export interface Pass {
  /** neutral: the call was given up by its caller and says nothing. */
  settle(outcome: 'ok' | 'failed' | 'neutral'): void;
}

export interface BreakerStats {
  readonly state: BreakerState;
  readonly failures: number;
  readonly refused: number;
  readonly opened: number;
  /** Of the last change. */
  readonly changedAtMs: number;
}

export interface Breaker {
  /** Undefined: open, do not call. */
  enter(): Pass | undefined;
  /** There is reason to think that it works again: the next call may try. */
  wake(): void;
  stats(): BreakerStats;
}

export function createBreaker(
  options: BreakerOptions,
  clock: Clock,
  onChange: (to: BreakerState, from: BreakerState) => void,
): Breaker {
  let state: BreakerState = 'closed';
  let inARow = 0;
  let pauseMs = options.pauseMs;
  let changedAtMs = clock.nowMs();
  let isProbing = false;
  const counts = { failures: 0, refused: 0, opened: 0 };

  function change(to: BreakerState): void {
    const from = state;
    state = to;
    changedAtMs = clock.nowMs();
    isProbing = false;
    onChange(to, from);
  }

  function open(): void {
    // Each probe that fails doubles the pause; the first opening after a good time starts over.
    pauseMs = state === 'half-open' ? Math.min(pauseMs * 2, options.pauseMsMax) : options.pauseMs;
    counts.opened += 1;
    change('open');
  }

  function settleClosed(outcome: 'ok' | 'failed' | 'neutral'): void {
    // A late answer to a call from before it opened says nothing about now.
    if (state !== 'closed' || outcome === 'neutral') return;
    inARow = outcome === 'failed' ? inARow + 1 : 0;
    if (inARow >= options.failuresToOpen) open();
  }

  function settleProbe(outcome: 'ok' | 'failed' | 'neutral'): void {
    isProbing = false;
    if (state !== 'half-open' || outcome === 'neutral') return;
    if (outcome === 'failed') return open();
    inARow = 0;
    change('closed');
  }

  function passFor(settleAs: (outcome: 'ok' | 'failed' | 'neutral') => void): Pass {
    return {
      settle: (outcome) => {
        if (outcome === 'failed') counts.failures += 1;
        settleAs(outcome);
      },
    };
  }

  function enter(): Pass | undefined {
    if (state === 'closed') return passFor(settleClosed);
    if (state === 'open' && clock.nowMs() - changedAtMs >= pauseMs) change('half-open');
    if (state === 'open' || isProbing) {
      counts.refused += 1;
      return undefined;
    }
    isProbing = true;
    return passFor(settleProbe);
  }

  function wake(): void {
    if (state === 'open') change('half-open');
  }

  return { enter, wake, stats: () => ({ state, changedAtMs, ...counts }) };
}
