/**
 * One reading of everything that the parts count: what /admin/stats answers, the dashboard draws and
 * /metrics exports. Carries the names that earlier caches of its users had, beside our own.
 */
import type { TieredCacheStats } from '../cache/tiered-cache.ts';
import type { TierStats } from '../cache/tier.ts';

import type { HubStats, SlowReader, TopicRow } from '../events/hub-stats.ts';
import type { WarmProgress } from '../flows/warm-cache.ts';
import type { ClientLimitsStats } from '../http/client-limits.ts';
import type { HttpCounters } from '../http/http-counters.ts';
import type { TransferStats } from '../http/transfers.ts';
import type { AttentionLists } from '../observe/attention.ts';
import type { HealthReport } from '../observe/health-changes.ts';
import type { PoolStats } from '../pool/image-pool.ts';
import type { ProcessesReport } from '../processes/message.ts';
import type { ApiCacheStats } from '../upstream/api-cache.ts';

export interface StatsSources {
  readonly version: string;
  readonly startedAtMs: number;
  readonly memoryLimitEntries: number;
  readonly cache: () => TieredCacheStats;
  readonly pool: () => PoolStats;
  readonly hub: () => HubStats;
  readonly warming: () => WarmProgress;
  readonly health: () => HealthReport;
  /** Undefined: no upstream application. */
  readonly api: () => ApiCacheStats | undefined;
  readonly http: HttpCounters;
  readonly clients: () => ClientLimitsStats;
  readonly uploadsInFlightBytes: () => number;
  readonly downloads: () => TransferStats;
}

const MIB = 1024 * 1024;
/** Topics and slow readers that /admin/stats names. */
export const LISTED_MAX = 12;
const ONE_PROCESS: ProcessesReport = { count: 1, silent: [], silences: 0, restarts: 0 };
const NO_TIER: TierStats = {
  name: '',
  entries: 0,
  bytes: 0,
  limitBytes: 0,
  hits: 0,
  misses: 0,
  evictions: 0,
  errors: 0,
};

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

export function ratioOf(hits: number, misses: number): number {
  return hits + misses === 0 ? 0 : round(hits / (hits + misses));
}

/** The names of the memory cache and of the disk or Redis cache that earlier systems reported. */
export function seedNames(tiers: readonly TierStats[], memoryLimitEntries: number) {
  const memory = tiers.find((tier) => tier.name === 'memory') ?? NO_TIER;
  const store = tiers.find((tier) => tier.name !== 'memory') ?? NO_TIER;
  return {
    cache_size: memory.entries,
    cache_bytes: memory.bytes,
    cache_limit: memoryLimitEntries,
    cache_bytes_limit: memory.limitBytes,
    size_bytes: store.bytes,
    size_mb: round(store.bytes / MIB),
    limit_mb: round(store.limitBytes / MIB),
    usage_percent: store.limitBytes === 0 ? 0 : round((store.bytes / store.limitBytes) * 100),
    count: store.entries,
  };
}

export function readStats(sources: StatsSources) {
  const cache = sources.cache();
  const hits = cache.tiers.reduce((sum, tier) => sum + tier.hits, 0);
  const misses = cache.tiers.at(-1)?.misses ?? 0;
  const calls = cache.origin?.calls ?? 0;
  return {
    version: sources.version,
    uptime_s: Math.round((Date.now() - sources.startedAtMs) / 1000),
    ...seedNames(cache.tiers, sources.memoryLimitEntries),
    hits,
    misses,
    hit_ratio: ratioOf(hits, misses),
    lookups_collapsed: cache.collapsed,
    lookups_under_way: cache.underWay,
    origin_calls: calls,
    origin_calls_spared: hits + (cache.origin?.spared ?? 0),
    tiers: cache.tiers,
    origin: cache.origin ?? null,
    workers: sources.pool(),
    events: sources.hub(),
    warming: sources.warming(),
    health: sources.health(),
    api: sources.api() ?? null,
    requests: {
      total: sources.http.requests,
      memory_hits: sources.http.memoryHits,
      not_modified: sources.http.notModified,
      problems: Object.fromEntries(sources.http.problems),
    },
    clients: sources.clients(),
    uploads_in_flight_bytes: sources.uploadsInFlightBytes(),
    downloads: sources.downloads(),
    memory: { rss_bytes: process.memoryUsage.rss() },
    processes: ONE_PROCESS,
  };
}

export type Stats = ReturnType<typeof readStats>;

/** With the lists that only people read. */
export interface AdminStats extends Stats {
  readonly events: Stats['events'] & {
    readonly top_topics: readonly TopicRow[];
    readonly slow_readers: readonly SlowReader[];
  };
  readonly attention: AttentionLists;
}
