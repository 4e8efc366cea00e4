/** Which numbers of the stats Prometheus gets, under which names. */
import type { TierStats } from '../cache/tier.ts';
import type { MetricDefinition, Sample } from '../observe/metrics.ts';
import type { Stats } from './stats.ts';

function perTier(stats: Stats, value: (tier: TierStats) => number): readonly Sample[] {
  return stats.tiers.map((tier) => ({ labels: { tier: tier.name }, value: value(tier) }));
}

function tierMetric(
  kind: 'counter' | 'gauge',
  name: string,
  help: string,
  value: (tier: TierStats) => number,
  read: () => Stats,
): MetricDefinition {
  return { name, help, kind, labels: ['tier'], read: () => perTier(read(), value) };
}

function single(
  kind: 'counter' | 'gauge',
  name: string,
  help: string,
  value: (stats: Stats) => number,
  read: () => Stats,
): MetricDefinition {
  return { name, help, kind, read: () => [{ value: value(read()) }] };
}

export function metricDefinitions(read: () => Stats): readonly MetricDefinition[] {
  return [
    tierMetric('counter', 'tier_hits_total', 'Lookups that the tier answered.', (tier) => tier.hits, read),
    tierMetric(
      'counter',
      'tier_misses_total',
      'Lookups that went past the tier.',
      (tier) => tier.misses,
      read,
    ),
    tierMetric(
      'counter',
      'tier_evictions_total',
      'Entries evicted for space.',
      (tier) => tier.evictions,
      read,
    ),
    tierMetric('counter', 'tier_errors_total', 'Calls to the tier that failed.', (tier) => tier.errors, read),
    tierMetric('gauge', 'tier_entries', 'Entries in the tier.', (tier) => tier.entries, read),
    tierMetric('gauge', 'tier_bytes', 'Bytes in the tier.', (tier) => tier.bytes, read),
    tierMetric('gauge', 'tier_limit_bytes', 'Byte budget of the tier.', (tier) => tier.limitBytes, read),
    single(
      'counter',
      'lookups_collapsed_total',
      'Lookups that waited for the same lookup of another request.',
      (s) => s.lookups_collapsed,
      read,
    ),
    single('counter', 'origin_calls_total', 'Calls to the origin.', (s) => s.origin_calls, read),
    single(
      'counter',
      'origin_calls_spared_total',
      'Lookups that needed no call to the origin.',
      (s) => s.origin_calls_spared,
      read,
    ),
    single('counter', 'http_requests_total', 'Requests.', (s) => s.requests.total, read),
    single(
      'counter',
      'http_memory_hits_total',
      'Images answered from memory at once.',
      (s) => s.requests.memory_hits,
      read,
    ),
    single(
      'counter',
      'http_not_modified_total',
      'Of these, answered 304.',
      (s) => s.requests.not_modified,
      read,
    ),
    {
      name: 'http_problems_total',
      help: 'Errors sent, by machine code.',
      kind: 'counter',
      labels: ['code'],
      read: () =>
        Object.entries(read().requests.problems).map(([code, value]) => ({ labels: { code }, value })),
    },
    single(
      'gauge',
      'uploads_in_flight_bytes',
      'Bytes of request bodies held.',
      (s) => s.uploads_in_flight_bytes,
      read,
    ),
    single('gauge', 'worker_threads', 'Threads that decode and render.', (s) => s.workers.threads, read),
    single('gauge', 'worker_jobs_running', 'Jobs that run.', (s) => s.workers.running, read),
    single('gauge', 'worker_jobs_queued', 'Jobs that wait for a thread.', (s) => s.workers.queued, read),
    single('counter', 'worker_jobs_completed_total', 'Jobs done.', (s) => s.workers.completed, read),
    single(
      'counter',
      'worker_jobs_refused_total',
      'Jobs refused for what was in them.',
      (s) => s.workers.refused,
      read,
    ),
    single(
      'counter',
      'worker_jobs_shed_total',
      'Jobs refused because the queue was full.',
      (s) => s.workers.shed,
      read,
    ),
    single(
      'counter',
      'worker_timeouts_total',
      'Jobs ended at their deadline.',
      (s) => s.workers.timeouts,
      read,
    ),
    single('counter', 'worker_crashes_total', 'Threads that died.', (s) => s.workers.crashes, read),
    single('counter', 'renders_total', 'Variants rendered.', (s) => s.workers.renders, read),
    single('gauge', 'subscribers', 'Open event streams.', (s) => s.events.subscribers, read),
    single('counter', 'events_published_total', 'Events published.', (s) => s.events.published, read),
    single(
      'counter',
      'event_deliveries_total',
      'Events written to streams.',
      (s) => s.events.deliveries,
      read,
    ),
    single(
      'counter',
      'event_bytes_total',
      'Bytes of events written to streams.',
      (s) => s.events.deliveredBytes,
      read,
    ),
    single(
      'counter',
      'events_conflated_total',
      'Partials replaced by a newer one while they waited.',
      (s) => s.events.conflated,
      read,
    ),
    single(
      'gauge',
      'event_waiting_bytes',
      'Bytes that wait for slow streams.',
      (s) => s.events.waitingBytes,
      read,
    ),
    {
      name: 'streams_closed_total',
      help: 'Streams that this server ended, by reason.',
      kind: 'counter',
      labels: ['reason'],
      read: () => Object.entries(read().events.cut).map(([reason, value]) => ({ labels: { reason }, value })),
    },
  ];
}
