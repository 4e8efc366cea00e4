/** What a request for a cached address is answered with: fresh, stale while it is renewed or fails, or new. */
import type { Clock } from '../core/clock.ts';
import { createRecent } from '../core/recent.ts';
import { AppError, type ErrorCode } from '../errors.ts';
import { keptAnswer, passingAnswer } from './api-answer.ts';
import type { ApiAnswer, ApiTrace } from './api-message.ts';
import type { KeptResponse } from './api-store.ts';
import type { Lookup, SharedFetch } from './shared-fetch.ts';

export interface Answers {
  answer(lookup: Lookup, signal: AbortSignal): Promise<ApiAnswer>;
  stats(): {
    readonly hits: number;
    readonly stale: number;
    readonly misses: number;
    /** Of the stale ones: because the application failed. */
    readonly staleAfterError: number;
  };
}

/** After a failure the application is asked again about one address only this often, while stale will do. */
const PAUSE_MS = 5000;
const REMEMBERED_MAX = 10_000;
const UPSTREAM_FAILED: ReadonlySet<ErrorCode> = new Set(['origin_failed', 'origin_timeout', 'overloaded']);

export function createAnswers(shared: SharedFetch, clock: Clock): Answers {
  const pauses = createRecent<number>(REMEMBERED_MAX);
  const counts = { hits: 0, stale: 0, misses: 0, staleAfterError: 0 };

  const isPaused = (key: string): boolean => {
    const leftMs = (pauses.get(key) ?? 0) - clock.nowMs();
    // More than that is left only where the clock was set back meanwhile.
    return leftMs > 0 && leftMs <= PAUSE_MS;
  };
  const pause = (key: string): void => pauses.set(key, clock.nowMs() + PAUSE_MS);

  const answerKept = (kept: KeptResponse, trace: ApiTrace, signal: AbortSignal): ApiAnswer => {
    const nowMs = clock.nowMs();
    return keptAnswer(
      kept,
      { ...trace, ttlS: Math.floor((kept.freshUntilMs - nowMs) / 1000) },
      nowMs,
      signal,
    );
  };

  async function renew(lookup: Lookup, signal: AbortSignal): Promise<ApiAnswer> {
    const { known, place } = lookup;
    const kind = known === undefined ? 'miss' : 'expired';
    lookup.request.admit?.();
    const { outcome, collapsed } = await shared.fetch(lookup, signal);
    counts.misses += 1;
    const trace = { kind, ...(collapsed ? { collapsed } : {}) } as const;
    if (outcome.kind === 'passing') return passingAnswer(outcome.response, outcome.pieces, trace);
    pauses.delete(place.key);
    return answerKept(outcome.kept, { ...trace, stored: outcome.stored }, signal);
  }

  function serveStale(known: KeptResponse, afterError: boolean, signal: AbortSignal): ApiAnswer {
    counts.stale += 1;
    if (afterError) counts.staleAfterError += 1;
    return answerKept(known, { kind: 'stale', ...(afterError ? { afterError } : {}) }, signal);
  }

  /** Nobody waits for it: what it finds is for the next request. */
  function renewBehind(lookup: Lookup): void {
    pause(lookup.place.key);
    const { signal } = new AbortController();
    const renewed = shared.fetch(lookup, signal).then(({ outcome }) => {
      if (outcome.kind === 'passing') outcome.response.discard();
      else pauses.delete(lookup.place.key);
    });
    // The pause stands, and whoever comes after it tries again.
    renewed.catch(() => undefined);
  }

  async function answer(lookup: Lookup, signal: AbortSignal): Promise<ApiAnswer> {
    const { known, place } = lookup;
    const nowMs = clock.nowMs();
    if (known === undefined) return renew(lookup, signal);
    if (known.freshUntilMs > nowMs) {
      counts.hits += 1;
      return answerKept(known, { kind: 'hit' }, signal);
    }
    if (known.revalidateUntilMs > nowMs) {
      if (!isPaused(place.key)) renewBehind(lookup);
      return serveStale(known, false, signal);
    }
    if (known.errorUntilMs > nowMs && isPaused(place.key)) return serveStale(known, true, signal);
    try {
      return await renew(lookup, signal);
    } catch (thrown) {
      const isTheirs = thrown instanceof AppError && UPSTREAM_FAILED.has(thrown.code);
      if (!isTheirs || known.errorUntilMs <= clock.nowMs()) throw thrown;
      pause(place.key);
      return serveStale(known, true, signal);
    }
  }

  return { answer, stats: () => ({ ...counts }) };
}
