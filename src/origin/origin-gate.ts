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
  /** It answered, and lets this server do nothing: no matter for a breaker, but for the operator. */
  denied(reason: string): void;
  /** `retryAfterMs`: how long Azure asked to be left alone; 0 when it did not say. */
  failed(retryAfterMs: number): void;
  /** Its caller gave it up: that says nothing of Azure. */
  givenUp(): void;
}

/** Each is told once per change. */
export interface OriginGateNotes {
  /** Azure asked to be left alone; `ms` 0: that is over. */
  held(ms: number): void;
  /** Whether this server may use it at all; '' : it may. */
  denied(reason: string): void;
}

/** However long Azure asks for, it is asked again after this. */
const HOLD_MS_MAX = 60_000;

export function createOriginGate(
  breaker: Pick<Breaker, 'enter'>,
  clock: Clock,
  notes?: OriginGateNotes,
): OriginGate {
  let heldUntilMs = 0;
  let isHeld = false;
  let denial = '';

  const hold = (retryAfterMs: number): void => {
    const ms = Math.min(retryAfterMs, HOLD_MS_MAX);
    heldUntilMs = Math.max(heldUntilMs, clock.nowMs() + ms);
    if (ms > 0 && !isHeld) notes?.held(ms);
    isHeld ||= ms > 0;
  };
  const release = (): void => {
    isHeld = false;
    notes?.held(0);
  };
  const noteDenial = (reason: string): void => {
    if (reason !== denial) notes?.denied(reason);
    denial = reason;
  };

  return {
    enter() {
      if (isHeld && clock.nowMs() >= heldUntilMs) release();
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
        succeeded() {
          settle('ok');
          noteDenial('');
        },
        denied(reason) {
          settle('ok');
          noteDenial(reason);
        },
        failed(retryAfterMs) {
          settle('failed');
          hold(retryAfterMs);
        },
        givenUp: () => settle('neutral'),
      };
    },
  };
}
