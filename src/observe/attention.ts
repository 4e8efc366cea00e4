/**
 * What an operator looks at first: what was slow, what failed, what is hot, what was evicted. Every list is
 * bounded, whatever strangers ask for. It knows neither routes nor tiers; they tell it.
 */
import type { Clock } from '../core/clock.ts';

export interface AttentionLists {
  /** Slowest first, of the last fifteen minutes; no queries: they may hold signatures. */
  readonly slow_requests: readonly SlowRequest[];
  readonly failing: readonly Failing[];
  /** By a sample of the hits in memory: the order counts, the numbers are near the truth. */
  readonly hot_images: readonly HotImage[];
  /** Newest first. */
  readonly evicted: readonly Evicted[];
}

export interface SlowRequest {
  readonly at: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly ms: number;
}

export interface Failing {
  readonly code: string;
  readonly count: number;
  readonly last: string;
}

export interface HotImage {
  readonly path: string;
  readonly hits: number;
}

export interface Evicted {
  readonly at: string;
  readonly key: string;
}

export interface Attention {
  answered(method: string, path: string, status: number, ms: number): void;
  failed(code: string): void;
  /** For one in HIT_SAMPLE hits. */
  hit(path: string): void;
  evicted(key: string): void;
  lists(): AttentionLists;
}

/** A power of two: the hit path masks with it. */
export const HIT_SAMPLE = 64;
export const ATTENTION_ROWS = 10;
const SLOW_MS_MIN = 50;
const SLOW_KEPT_MS = 15 * 60_000;
const TEXT_CHARS_MAX = 200;
/** Paths that are counted at once; one more takes the place, and the count, of the least (Space-Saving). */
const HOT_PATHS = 128;
/** Samples after which all counts are halved: what was hot yesterday is not hot. */
const HALVE_AFTER = 8192;

interface Slow extends Omit<SlowRequest, 'at'> {
  readonly atMs: number;
}

function createHotPaths() {
  const counts = new Map<string, number>();
  let samples = 0;

  function leastOf(): readonly [path: string, count: number] {
    let least: readonly [string, number] = ['', Number.POSITIVE_INFINITY];
    for (const row of counts) if (row[1] < least[1]) least = row;
    return least;
  }
  function halve(): void {
    samples = 0;
    for (const [path, count] of counts) {
      if (count < 2) counts.delete(path);
      else counts.set(path, count >> 1);
    }
  }
  return {
    add(path: string): void {
      samples += 1;
      if (samples > HALVE_AFTER) halve();
      const known = counts.get(path);
      if (known !== undefined || counts.size < HOT_PATHS) {
        counts.set(path, (known ?? 0) + 1);
        return;
      }
      const [least, count] = leastOf();
      counts.delete(least);
      counts.set(path, count + 1);
    },
    list: (): readonly HotImage[] =>
      [...counts]
        .toSorted(([, a], [, b]) => b - a)
        .slice(0, ATTENTION_ROWS)
        .map(([path, count]) => ({ path, hits: count * HIT_SAMPLE })),
  };
}

export function createAttention(clock: Clock): Attention {
  const hot = createHotPaths();
  const failing = new Map<string, { count: number; lastMs: number }>();
  let slow: readonly Slow[] = [];
  let evicted: { readonly key: string; readonly atMs: number }[] = [];
  const timeOf = (atMs: number): string => new Date(atMs).toISOString();
  const recent = (nowMs: number): readonly Slow[] => slow.filter(({ atMs }) => atMs > nowMs - SLOW_KEPT_MS);

  return {
    answered(method, path, status, ms) {
      const least = slow.length < ATTENTION_ROWS ? 0 : (slow.at(-1)?.ms ?? 0);
      if (ms < SLOW_MS_MIN) return;
      const atMs = clock.nowMs();
      if (ms <= least && recent(atMs).length === slow.length) return;
      const row = { method, path: path.slice(0, TEXT_CHARS_MAX), status, ms: Math.round(ms), atMs };
      slow = [...recent(atMs), row].toSorted((a, b) => b.ms - a.ms).slice(0, ATTENTION_ROWS);
    },
    failed(code) {
      const row = failing.get(code) ?? { count: 0, lastMs: 0 };
      failing.set(code, { count: row.count + 1, lastMs: clock.nowMs() });
    },
    hit: (path) => hot.add(path.slice(0, TEXT_CHARS_MAX)),
    evicted(key) {
      evicted.push({ key: key.slice(0, TEXT_CHARS_MAX), atMs: clock.nowMs() });
      if (evicted.length >= 2 * ATTENTION_ROWS) evicted = evicted.slice(-ATTENTION_ROWS);
    },
    lists: () => ({
      slow_requests: recent(clock.nowMs()).map(({ atMs, ...row }) => ({ at: timeOf(atMs), ...row })),
      failing: [...failing]
        .map(([code, { count, lastMs }]) => ({ code, count, last: timeOf(lastMs) }))
        .toSorted((a, b) => b.last.localeCompare(a.last))
        .slice(0, ATTENTION_ROWS),
      hot_images: hot.list(),
      evicted: evicted
        .slice(-ATTENTION_ROWS)
        .toReversed()
        .map(({ key, atMs }) => ({ at: timeOf(atMs), key })),
    }),
  };
}
