/**
 * What /admin/stats and /metrics answer: a reading of this process, or where it is one of several, of all
 * of them, whichever is asked.
 */
import type { AttentionLists } from '../observe/attention.ts';
import { createMetrics } from '../observe/metrics.ts';
import {
  countersOf,
  createProcessMetrics,
  METRICS_MIME,
  metricsText,
  type ProcessMetrics,
} from '../observe/several-processes.ts';
import type { Peers } from '../processes/peers.ts';
import { metricDefinitions } from './metric-definitions.ts';
import type { AdminStats, Stats } from './stats.ts';
import { countsOf, sumStats } from './sum-stats.ts';

/** What one process says of itself to the others. */
export interface Reading {
  readonly stats: AdminStats;
  readonly node: ProcessMetrics;
}

export interface Readings {
  adminStats(): Promise<AdminStats> | AdminStats;
  metricsText(): Promise<string>;
  readonly metricsMime: string;
}

export interface ReadingSources {
  readonly stats: () => Stats;
  readonly lists: () => Pick<AdminStats['events'], 'top_topics' | 'slow_readers'>;
  readonly attention: () => AttentionLists;
}

export function createReadings(sources: ReadingSources, peers: Peers<Reading> | undefined): Readings {
  const adminStats = (): AdminStats => {
    const all = sources.stats();
    const events = { ...all.events, ...sources.lists() };
    return { ...all, events, attention: sources.attention() };
  };
  if (peers === undefined) {
    const { text, mime } = createMetrics(metricDefinitions(sources.stats));
    return { adminStats, metricsText: text, metricsMime: mime };
  }

  const readNode = createProcessMetrics();
  const read = async (): Promise<Reading> => ({ stats: adminStats(), node: await readNode() });
  peers.answer(async () => numbered(await read(), peers.number));
  const readAll = async () => {
    const { readings, processes } = await peers.gather();
    const [first = await read(), ...rest] = readings;
    const stats = sumStats([first.stats, ...rest.map((reading) => reading.stats)], processes);
    return { stats, node: [first, ...rest].map((reading) => reading.node) };
  };
  return {
    adminStats: async () => (await readAll()).stats,
    async metricsText() {
      const { stats, node } = await readAll();
      return metricsText(
        metricDefinitions(() => stats),
        node,
      );
    },
    metricsMime: METRICS_MIME,
  };
}

function numbered(reading: Reading, process: number): Reading {
  const { health } = reading.stats;
  const changes = health.changes.map((change) => ({ ...change, process }));
  return { ...reading, stats: { ...reading.stats, health: { ...health, changes } } };
}

/** What remains of processes that are gone, as one more reading. */
export async function keepCounts(kept: Reading | undefined, last: Reading): Promise<Reading> {
  const stats = countsOf(last.stats);
  return {
    stats: kept === undefined ? stats : sumStats([kept.stats, stats], stats.processes),
    node: await countersOf(kept === undefined ? [last.node] : [kept.node, last.node]),
  };
}
