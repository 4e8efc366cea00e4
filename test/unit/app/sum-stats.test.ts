import { systemClock } from '../../../src/core/clock.ts';
import { createAttention } from '../../../src/observe/attention.ts';
import { expect, test } from 'vitest';
import { readStats, type AdminStats } from '../../../src/app/stats.ts';
import { countsOf, sumStats } from '../../../src/app/sum-stats.ts';
import type { TierStats } from '../../../src/cache/tier.ts';
import { createEventCounters } from '../../../src/events/event-counters.ts';
import { createHttpCounters } from '../../../src/http/http-counters.ts';
import type { PartState } from '../../../src/observe/health-changes.ts';

const MIB = 1024 * 1024;
const TWO = { count: 2, silent: [], silences: 0, restarts: 0 };

function tier(name: string, more: Partial<TierStats>): TierStats {
  return { name, entries: 0, bytes: 0, limitBytes: 0, hits: 0, misses: 0, evictions: 0, errors: 0, ...more };
}

interface Given {
  readonly tiers?: readonly TierStats[];
  readonly published?: number;
  readonly subscribers?: number;
  readonly lagLastMs?: number;
  readonly startedAtMs?: number;
  readonly requests?: number;
  readonly problems?: Readonly<Record<string, number>>;
  readonly bus?: PartState;
  readonly topics?: Readonly<Record<string, number>>;
}

function part(state: PartState) {
  return { part: 'events-bus', state, up: state === 'shared', since: '2026-01-01T00:00:00.000Z' };
}

/** A reading as one process makes it. */
function reading(given: Given = {}): AdminStats {
  const http = createHttpCounters();
  http.requests = given.requests ?? 0;
  for (const [code, count] of Object.entries(given.problems ?? {})) http.problems.set(code, count);
  const events = {
    ...createEventCounters(),
    published: given.published ?? 0,
    lagLastMs: given.lagLastMs ?? 0,
    subscribers: given.subscribers ?? 0,
    byTransport: { sse: given.subscribers ?? 0, 'ws-json': 0, 'ws-binary': 0 },
    topics: 0,
    waitingBytes: 0,
    blocked: 0,
    behind: 0,
  };
  const pool = { threads: 2, running: 1, queued: 0, queueLimit: 128, completed: 5, renders: 3 };
  const stats = readStats({
    version: '1.2.3',
    startedAtMs: given.startedAtMs ?? Date.now(),
    memoryLimitEntries: 500,
    cache: () => ({ tiers: given.tiers ?? [], lookups: 0, collapsed: 4, underWay: 0 }),
    pool: () => ({ ...pool, refused: 0, shed: 0, timeouts: 0, crashes: 0 }),
    hub: () => events,
    warming: () => ({ total: 2, done: 1, found: 1, missing: 0, failed: 0, running: false }),
    health: () => ({ parts: [part(given.bus ?? 'shared')], changes: [] }),
    api: () => undefined,
    http,
    clients: () => ({ known: 1, refused: { misses: 2, renders: 0, uploads: 0, concurrent: 0 } }),
    uploadsInFlightBytes: () => 100,
    downloads: () => ({ underWay: 1, heldBytes: 1000, cut: 2 }),
  });
  const rows = Object.entries(given.topics ?? {}).map(([topic, subscribers]) => ({ topic, subscribers }));
  const attention = createAttention(systemClock).lists();
  return { ...stats, attention, events: { ...stats.events, top_topics: rows, slow_readers: [] } };
}

test('counts, limits and what is held add up, nested ones and those that only one has too', () => {
  const sum = sumStats(
    [
      reading({ requests: 3, problems: { not_found: 1 }, subscribers: 2 }),
      reading({ requests: 4, problems: { not_found: 2, overloaded: 5 }, subscribers: 1 }),
    ],
    TWO,
  );
  expect(sum).toMatchObject({
    version: '1.2.3',
    cache_limit: 1000,
    lookups_collapsed: 8,
    uploads_in_flight_bytes: 200,
    requests: { total: 7, problems: { not_found: 3, overloaded: 5 } },
    workers: { threads: 4, running: 2, queueLimit: 256, completed: 10, renders: 6 },
    events: { subscribers: 3, byTransport: { sse: 3 } },
    warming: { total: 4, done: 2, running: false },
    origin: null,
    api: null,
    processes: TWO,
  });
});

test('the hit ratio, the percentages and the names of earlier caches are those of the sum', () => {
  const one = [tier('memory', { entries: 1, bytes: MIB, limitBytes: 4 * MIB, hits: 9, misses: 1 })];
  const two = [tier('memory', { entries: 2, bytes: MIB, limitBytes: 4 * MIB, hits: 0, misses: 10 })];
  expect(sumStats([reading({ tiers: one }), reading({ tiers: two })], TWO)).toMatchObject({
    hits: 9,
    misses: 11,
    hit_ratio: 0.45,
    cache_size: 3,
    cache_bytes: 2 * MIB,
    cache_bytes_limit: 8 * MIB,
  });
});

test('what Redis holds is counted once, the lookups in it for each', () => {
  const redis = (entries: number, hits: number) =>
    tier('redis', { entries, bytes: 10 * MIB, limitBytes: 20 * MIB, evictions: 7, hits });
  const sum = sumStats([reading({ tiers: [redis(3, 5)] }), reading({ tiers: [redis(4, 6)] })], TWO);
  expect(sum.tiers).toEqual([
    tier('redis', { entries: 4, bytes: 10 * MIB, limitBytes: 20 * MIB, evictions: 7, hits: 11 }),
  ]);
  expect(sum).toMatchObject({ count: 4, size_mb: 10, limit_mb: 20, usage_percent: 50 });
});

test('while Redis is away from one process, both it and the disk of that one are there', () => {
  const memory = tier('memory', { entries: 1 });
  const sum = sumStats(
    [
      reading({ tiers: [memory, tier('redis', {})] }),
      reading({ tiers: [memory, tier('disk', { bytes: 5 })] }),
    ],
    TWO,
  );
  expect(sum.tiers.map(({ name, entries, bytes }) => [name, entries, bytes])).toEqual([
    ['memory', 2, 0],
    ['redis', 0, 0],
    ['disk', 0, 5],
  ]);
});

test('an event that the bus brought to all is one event, and the lag is the longest', () => {
  const sum = sumStats(
    [reading({ published: 10, lagLastMs: 2 }), reading({ published: 9, lagLastMs: 30 })],
    TWO,
  );
  expect(sum.events).toMatchObject({ published: 10, lagLastMs: 30 });
});

test('uptime is that of the oldest', () => {
  const now = Date.now();
  const sum = sumStats([reading({ startedAtMs: now - 5000 }), reading({ startedAtMs: now - 90_000 })], TWO);
  expect(sum.uptime_s).toBe(90);
});

test('a part that is down in one process is down', () => {
  const sum = sumStats([reading(), reading({ bus: 'local' }), reading()], TWO);
  expect(sum.health.parts).toEqual([part('local')]);
});

test('the topics that most follow are those of all processes together', () => {
  const sum = sumStats([reading({ topics: { a: 3, b: 2 } }), reading({ topics: { b: 2 } })], TWO);
  expect(sum.events.top_topics).toEqual([
    { topic: 'b', subscribers: 4 },
    { topic: 'a', subscribers: 3 },
  ]);
});

test('of a process that is gone the counts stay and what it held does not', () => {
  const memory = tier('memory', { entries: 5, bytes: MIB, limitBytes: MIB, hits: 8, misses: 2 });
  const gone = countsOf(reading({ tiers: [memory], requests: 3, subscribers: 4, bus: 'local' }));
  const sum = sumStats([reading({ requests: 1 }), gone], TWO);
  expect(sum).toMatchObject({
    hits: 8,
    misses: 2,
    cache_size: 0,
    cache_bytes_limit: 0,
    cache_limit: 500,
    uploads_in_flight_bytes: 100,
    requests: { total: 4 },
    clients: { known: 1, refused: { misses: 4 } },
    workers: { threads: 2, running: 1, completed: 10 },
    events: { subscribers: 0, byTransport: { sse: 0 } },
    health: { parts: [part('shared')] },
  });
  expect(sum.memory.rss_bytes).toBeLessThan(2 * process.memoryUsage.rss());
});
