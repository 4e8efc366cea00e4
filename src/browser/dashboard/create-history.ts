/**
 * What the plots draw: the last five minutes of a few numbers, counters turned into rates. Bounded, and
 * forgiving of a server that restarted (a counter that fell begins anew).
 */
import { numberAt } from './read-stats.ts';

export const SAMPLE_MS = 2000;
export const SAMPLES = 150;

export interface Sample {
  readonly atMs: number;
  readonly requests: number | undefined;
  readonly notModified: number | undefined;
  readonly hits: number | undefined;
  readonly misses: number | undefined;
  readonly hitPercent: number | undefined;
  readonly deliveries: number | undefined;
  readonly published: number | undefined;
  readonly running: number | undefined;
  readonly queued: number | undefined;
}

const COUNTERS = {
  requests: 'requests.total',
  notModified: 'requests.not_modified',
  hits: 'hits',
  misses: 'misses',
  deliveries: 'events.deliveries',
  published: 'events.published',
} as const;

type Counter = keyof typeof COUNTERS;

export function createHistory() {
  const samples: Sample[] = [];
  let before: { readonly atMs: number; readonly stats: unknown } | undefined;

  function rate(counter: Counter, stats: unknown, atMs: number): number | undefined {
    const now = numberAt(stats, COUNTERS[counter]);
    const then = numberAt(before?.stats, COUNTERS[counter]);
    if (now === undefined || then === undefined || before === undefined) return undefined;
    return Math.max(0, now < then ? now : now - then) / Math.max(0.5, (atMs - before.atMs) / 1000);
  }

  return {
    samples: samples as readonly Sample[],
    add(stats: unknown, atMs: number): Sample {
      const hits = rate('hits', stats, atMs);
      const misses = rate('misses', stats, atMs);
      const reads = (hits ?? 0) + (misses ?? 0);
      const sample: Sample = {
        atMs,
        requests: rate('requests', stats, atMs),
        notModified: rate('notModified', stats, atMs),
        hits,
        misses,
        // Nobody asked for anything: no ratio, not a bad one.
        hitPercent: reads > 0 ? ((hits ?? 0) / reads) * 100 : undefined,
        deliveries: rate('deliveries', stats, atMs),
        published: rate('published', stats, atMs),
        running: numberAt(stats, 'workers.running'),
        queued: numberAt(stats, 'workers.queued'),
      };
      before = { atMs, stats };
      samples.push(sample);
      if (samples.length > SAMPLES) samples.shift();
      return sample;
    },
  };
}
