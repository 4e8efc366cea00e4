/**
 * The stats of several processes as those of one: what is counted adds up, what all share does not, what
 * is a ratio is computed anew. Pure.
 */
import type { TierStats } from '../cache/tier.ts';
import { CHANGES_MAX, type HealthReport } from '../observe/health-changes.ts';
import { mergeAttention } from '../observe/merge-attention.ts';
import type { ProcessesReport } from '../processes/message.ts';
import { LISTED_MAX, ratioOf, seedNames, type AdminStats } from './stats.ts';

/** One of Redis's own numbers is the same whichever process asks. */
const SHARED_OF_REDIS = ['entries', 'bytes', 'limitBytes', 'evictions'] as const;

/** Numbers add up, objects field by field; anything else is that of the first. */
function addUp(values: readonly unknown[]): unknown {
  const [first] = values;
  if (typeof first === 'number') return values.reduce<number>((sum, value) => sum + Number(value), 0);
  if (typeof first !== 'object' || first === null || Array.isArray(first)) return first;
  const fields = new Map<string, unknown[]>();
  for (const value of values) {
    for (const [name, field] of Object.entries(value ?? {})) {
      fields.set(name, [...(fields.get(name) ?? []), field]);
    }
  }
  return Object.fromEntries([...fields].map(([name, each]) => [name, addUp(each)]));
}

/** What is added up has the form of each. */
function sumOf<T>(values: readonly [T, ...T[]]): T {
  return addUp(values) as T;
}

function maxOf(values: readonly number[]): number {
  return Math.max(0, ...values);
}

function sumTier(rows: readonly [TierStats, ...TierStats[]]): TierStats {
  const sum = sumOf(rows);
  if (sum.name !== 'redis') return sum;
  const shared = SHARED_OF_REDIS.map((field) => [field, maxOf(rows.map((row) => row[field]))]);
  return { ...sum, ...Object.fromEntries(shared) };
}

/** By name, memory first as in each: while Redis is away from one of them, some have it and some the disk. */
function sumTiers(all: readonly (readonly TierStats[])[]): readonly TierStats[] {
  const byName = new Map<string, [TierStats, ...TierStats[]]>();
  for (const tier of all.flat()) {
    const rows = byName.get(tier.name);
    if (rows === undefined) byName.set(tier.name, [tier]);
    else rows.push(tier);
  }
  return [...byName.values()].map(sumTier);
}

/** A part is up when it is in every process; else it is as in the first where it is not. */
function mergeHealth(reports: readonly HealthReport[]): HealthReport {
  const parts = new Map<string, HealthReport['parts'][number]>();
  for (const part of reports.flatMap((report) => report.parts)) {
    const known = parts.get(part.part);
    if (known === undefined || (known.up && !part.up)) parts.set(part.part, part);
  }
  const changes = reports.flatMap((report) => report.changes);
  return {
    parts: [...parts.values()],
    changes: changes.toSorted((a, b) => b.at.localeCompare(a.at)).slice(0, CHANGES_MAX),
  };
}

type EventStats = AdminStats['events'];

function sumEvents(all: readonly [EventStats, ...EventStats[]]): EventStats {
  const topics = new Map<string, number>();
  for (const { topic, subscribers } of all.flatMap((events) => events.top_topics)) {
    topics.set(topic, (topics.get(topic) ?? 0) + subscribers);
  }
  const rows = [...topics].map(([topic, subscribers]) => ({ topic, subscribers }));
  const slow = all.flatMap((events) => events.slow_readers);
  return {
    ...sumOf(all),
    // The bus brings every event to every process.
    published: maxOf(all.map((events) => events.published)),
    lagLastMs: maxOf(all.map((events) => events.lagLastMs)),
    lagMaxMs: maxOf(all.map((events) => events.lagMaxMs)),
    top_topics: rows.toSorted((a, b) => b.subscribers - a.subscribers).slice(0, LISTED_MAX),
    slow_readers: slow
      .toSorted((a, b) => b.bytes - a.bytes || b.stalled_ms - a.stalled_ms)
      .slice(0, LISTED_MAX),
  };
}

export function sumStats(
  readings: readonly [AdminStats, ...AdminStats[]],
  processes: ProcessesReport,
): AdminStats {
  const sum = sumOf(readings);
  const [first, ...rest] = readings;
  const tiers = sumTiers(readings.map((reading) => reading.tiers));
  return {
    ...sum,
    uptime_s: maxOf(readings.map((reading) => reading.uptime_s)),
    ...seedNames(tiers, sum.cache_limit),
    hit_ratio: ratioOf(sum.hits, sum.misses),
    tiers,
    events: sumEvents([first.events, ...rest.map((reading) => reading.events)]),
    warming: { ...sum.warming, running: readings.some((reading) => reading.warming.running) },
    health: mergeHealth(readings.map((reading) => reading.health)),
    attention: mergeAttention(readings.map((reading) => reading.attention)),
    processes,
  };
}

/** What remains of a process that is gone: what it counted, nothing of what it held. */
export function countsOf(stats: AdminStats): AdminStats {
  const { events, workers } = stats;
  const nobody = { sse: 0, 'ws-json': 0, 'ws-binary': 0 };
  return {
    ...stats,
    uptime_s: 0,
    cache_limit: 0,
    lookups_under_way: 0,
    tiers: stats.tiers.map((tier) => ({ ...tier, entries: 0, bytes: 0, limitBytes: 0, owed: 0 })),
    workers: { ...workers, threads: 0, running: 0, queued: 0, queueLimit: 0 },
    events: {
      ...events,
      subscribers: 0,
      byTransport: nobody,
      topics: 0,
      waitingBytes: 0,
      blocked: 0,
      behind: 0,
      lagLastMs: 0,
      top_topics: [],
      slow_readers: [],
    },
    warming: { total: 0, done: 0, found: 0, missing: 0, failed: 0, running: false },
    health: { parts: [], changes: [] },
    clients: { ...stats.clients, known: 0 },
    uploads_in_flight_bytes: 0,
    downloads: { ...stats.downloads, underWay: 0, heldBytes: 0 },
    memory: { rss_bytes: 0 },
  };
}
