/** Whether the primary tier is there: an outage is several failures in a row, its end is one success. */
import type { Clock } from '../core/clock.ts';
import { isTierFailure } from '../errors.ts';

export interface PrimaryWatchDeps {
  readonly clock: Clock;
  /** Once per change. `primary` is also said of the first success, `fallback` of a first failure. */
  readonly onSwitch: (to: 'primary' | 'fallback', reason: string) => void;
}

export interface PrimaryWatch {
  /** The primary's answer, or undefined where it failed. */
  ask<T>(signal: AbortSignal, call: () => Promise<T>): Promise<{ readonly value: T } | undefined>;
  isAway(): boolean;
  /** When it last answered; 0: never in this process. */
  upAtMs(): number;
}

/** One failure is a miss; this many in a row are an outage. */
const FAILURES_TO_SWITCH = 3;

export function createPrimaryWatch(deps: PrimaryWatchDeps): PrimaryWatch {
  let state: 'unknown' | 'primary' | 'fallback' = 'unknown';
  let failuresInARow = 0;
  let upAtMs = 0;

  function switchTo(to: 'primary' | 'fallback', reason: string): void {
    if (state === to) return;
    state = to;
    deps.onSwitch(to, reason);
  }

  function failed(error: unknown): void {
    failuresInARow += 1;
    if (state === 'primary' && failuresInARow < FAILURES_TO_SWITCH) return;
    switchTo('fallback', error instanceof Error ? error.message : String(error));
  }

  return {
    async ask(signal, call) {
      try {
        const value = await call();
        failuresInARow = 0;
        upAtMs = deps.clock.nowMs();
        switchTo('primary', '');
        return { value };
      } catch (error) {
        if (signal.aborted || !isTierFailure(error)) throw error;
        failed(error);
        return undefined;
      }
    },
    isAway: () => state === 'fallback',
    upAtMs: () => upAtMs,
  };
}
