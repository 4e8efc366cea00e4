/**
 * Whether Azure may be called now: the breaker's word, and Azure's own (Retry-After), which no probe
 * may disregard.
 */
import type { Breaker } from '../cache/breaker.ts';
import type { Clock } from '../core/clock.ts';
import { AppError } from '../errors.ts';

export interface OriginGate {
  /** AppError origin_failed: not now. */
  enter(): OriginPass;
}

/** One call's way through. The first outcome counts for the call; a failure after it counts anew. */
export interface OriginPass {
  succeeded(): void;
  /** `retryAfterMs`: how long Azure asked to be left alone; 0 when it did not say. */
  failed(retryAfterMs: number): void;
  /** Its caller gave it up: that says nothing of Azure. */
  givenUp(): void;
}

/** However long Azure asks for, it is asked again after this. */
const HOLD_MS_MAX = 60_000;

export function createOriginGate(breaker: Pick<Breaker, 'enter'>, clock: Clock): OriginGate {
  let heldUntilMs = 0;
  return {
    enter() {
      const pass = clock.nowMs() < heldUntilMs ? undefined : breaker.enter();
      if (pass === undefined) {
        throw new AppError('origin_failed', 'Azure failed lately and is not asked for now.');
      }
      let settled = false;
      const settle = (outcome: 'ok' | 'failed' | 'neutral'): void => {
        if (!settled) pass.settle(outcome);
        else if (outcome === 'failed') breaker.enter()?.settle('failed');
        settled = true;
      };
      return {
        succeeded: () => settle('ok'),
        failed(retryAfterMs) {
          settle('failed');
          const until = clock.nowMs() + Math.min(retryAfterMs, HOLD_MS_MAX);
          heldUntilMs = Math.max(heldUntilMs, until);
        },
        givenUp: () => settle('neutral'),
      };
    },
  };
}
