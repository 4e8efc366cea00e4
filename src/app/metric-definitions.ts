/** Which numbers of the stats Prometheus gets, under which names. */
import type { TierStats } from '../cache/tier.ts';
import type { MetricDefinition, Sample } from '../observe/metrics.ts';
import type { Stats } from './stats.ts';

type Row<T> = readonly [name: string, help: string, value: (from: T) => number];

/** A name that ends in `_total` counts up; every other one is a reading. */
function kindOf(name: string): 'counter' | 'gauge' {
  return name.endsWith('_total') ? 'counter' : 'gauge';
}

const TIER_METRICS: readonly Row<TierStats>[] = [
  ['tier_hits_total', 'Lookups that the tier answered.', (tier) => tier.hits],
  ['tier_misses_total', 'Lookups that went past the tier.', (tier) => tier.misses],
  ['tier_evictions_total', 'Entries evicted for space.', (tier) => tier.evictions],
  ['tier_errors_total', 'Calls to the tier that failed.', (tier) => tier.errors],
  ['tier_entries', 'Entries in the tier.', (tier) => tier.entries],
  ['tier_bytes', 'Bytes in the tier.', (tier) => tier.bytes],
  ['tier_limit_bytes', 'Byte budget of the tier.', (tier) => tier.limitBytes],
];

const METRICS: readonly Row<Stats>[] = [
  ['lookups_collapsed_total', 'Lookups that waited for the same lookup.', (s) => s.lookups_collapsed],
  ['origin_calls_total', 'Calls to the origin.', (s) => s.origin_calls],
  ['origin_calls_spared_total', 'Lookups that needed no call to the origin.', (s) => s.origin_calls_spared],
  ['http_requests_total', 'Requests.', (s) => s.requests.total],
  ['http_memory_hits_total', 'Images answered from memory at once.', (s) => s.requests.memory_hits],
  ['http_not_modified_total', 'Of these, answered 304.', (s) => s.requests.not_modified],
  ['clients_known', 'Addresses whose share is remembered.', (s) => s.clients.known],
  ['uploads_in_flight_bytes', 'Bytes of request bodies held.', (s) => s.uploads_in_flight_bytes],
  ['downloads_under_way', 'Answers whose reader has not taken all of it yet.', (s) => s.downloads.underWay],
  ['downloads_held_bytes', 'Bytes that these hold.', (s) => s.downloads.heldBytes],
  ['downloads_cut_total', 'Answers cut because others wanted their room.', (s) => s.downloads.cut],
  ['worker_threads', 'Threads that decode and render.', (s) => s.workers.threads],
  ['worker_jobs_running', 'Jobs that run.', (s) => s.workers.running],
  ['worker_jobs_queued', 'Jobs that wait for a thread.', (s) => s.workers.queued],
  ['worker_jobs_completed_total', 'Jobs done.', (s) => s.workers.completed],
  ['worker_jobs_refused_total', 'Jobs refused for what was in them.', (s) => s.workers.refused],
  ['worker_jobs_shed_total', 'Jobs refused because the queue was full.', (s) => s.workers.shed],
  ['worker_timeouts_total', 'Jobs ended at their deadline.', (s) => s.workers.timeouts],
  ['worker_crashes_total', 'Threads that died.', (s) => s.workers.crashes],
  ['renders_total', 'Variants rendered.', (s) => s.workers.renders],
  ['subscribers', 'Open event streams.', (s) => s.events.subscribers],
  ['subscribers_blocked', 'Open streams whose reader takes nothing now.', (s) => s.events.blocked],
  ['event_waiting_bytes', 'Bytes that wait for slow streams.', (s) => s.events.waitingBytes],
  ['events_published_total', 'Events published.', (s) => s.events.published],
  ['event_deliveries_total', 'Events written to streams.', (s) => s.events.deliveries],
  ['event_bytes_total', 'Bytes of events written to streams.', (s) => s.events.deliveredBytes],
  ['events_conflated_total', 'Partials replaced while they waited.', (s) => s.events.conflated],
  ['events_replayed_total', 'Events replayed to streams that resumed.', (s) => s.events.replayed],
  ['event_gaps_total', 'Replays that were not whole.', (s) => s.events.gaps],
  ['processes', 'Processes that share the port.', (s) => s.processes.count],
  ['processes_silent', 'Of these, without a new reading in this scrape.', (s) => s.processes.silent.length],
  ['processes_silent_total', 'How often one had none.', (s) => s.processes.silences],
  ['processes_restarted_total', 'Processes started again after they had ended.', (s) => s.processes.restarts],
  [
    'event_lag_seconds',
    'From publishing to the last delivery, newest event.',
    (s) => s.events.lagLastMs / 1000,
  ],
];

function byTier([name, help, value]: Row<TierStats>, read: () => Stats): MetricDefinition {
  const samples = (): readonly Sample[] =>
    read().tiers.map((tier) => ({ labels: { tier: tier.name }, value: value(tier) }));
  return { name, help, kind: kindOf(name), labels: ['tier'], read: samples };
}

function byLabel(
  name: string,
  help: string,
  label: string,
  values: () => Readonly<Record<string, number>>,
): MetricDefinition {
  const samples = (): readonly Sample[] =>
    Object.entries(values()).map(([text, value]) => ({ labels: { [label]: text }, value }));
  return { name, help, kind: kindOf(name), labels: [label], read: samples };
}

export function metricDefinitions(read: () => Stats): readonly MetricDefinition[] {
  return [
    ...TIER_METRICS.map((row) => byTier(row, read)),
    ...METRICS.map(([name, help, value]) => ({
      name,
      help,
      kind: kindOf(name),
      read: () => [{ value: value(read()) }],
    })),
    byLabel('part_up', 'Parts that may fail: 1 while it does what it is for.', 'part', () =>
      Object.fromEntries(read().health.parts.map(({ part, up }) => [part, Number(up)])),
    ),
    byLabel('http_problems_total', 'Errors sent, by machine code.', 'code', () => read().requests.problems),
    byLabel(
      'rate_limited_total',
      'Requests refused because one address had its share, by what it had enough of.',
      'limit',
      () => read().clients.refused,
    ),
    byLabel('streams_closed_total', 'Streams ended here, by reason.', 'reason', () => read().events.cut),
  ];
}
