/**
 * Metrics of several processes as of one: what Node says of each (processor time, heap, delays of the
 * loop) is read in each and put together by whoever is scraped.
 */
import { AggregatorRegistry, collectDefaultMetrics, Registry, type PrometheusContentType } from 'prom-client';
import { defineMetrics, METRIC_PREFIX, type MetricDefinition } from './metrics.ts';

/** The metrics that Node has of one process. */
export type ProcessMetrics = readonly ProcessMetric[];

interface ProcessMetric {
  readonly name: string;
  /** `counter`, `gauge`, `histogram`; the typings of the library have a number. */
  readonly type: unknown;
  readonly aggregator: string;
}

export const METRICS_MIME = Registry.PROMETHEUS_CONTENT_TYPE;

/** Where the library's own way would hide the one process that is in trouble, or leave a metric out. */
const AGGREGATORS: readonly (readonly [name: RegExp, aggregator: string])[] = [
  [/_eventloop_lag_(p\d+_|mean_)?seconds$/, 'max'],
  [/_process_start_time_seconds$/, 'min'],
];

function aggregatorOf({ name, aggregator }: ProcessMetric): string {
  return AGGREGATORS.find(([pattern]) => pattern.test(name))?.[1] ?? aggregator;
}

export function createProcessMetrics(): () => Promise<ProcessMetrics> {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: METRIC_PREFIX });
  return async () => {
    const metrics = await registry.getMetricsAsJSON();
    return metrics.map((metric) => ({ ...metric, aggregator: aggregatorOf(metric) }));
  };
}

/** What remains of processes that are gone: what counts up, so that their sum never goes down. */
export async function countersOf(metrics: readonly ProcessMetrics[]): Promise<ProcessMetrics> {
  const counting = metrics.map((each) =>
    each.filter(({ type }) => type === 'counter' || type === 'histogram'),
  );
  return AggregatorRegistry.aggregate(counting).getMetricsAsJSON();
}

/** The text for Prometheus, with `definitions` read once for all. */
export async function metricsText(
  definitions: readonly MetricDefinition[],
  metrics: readonly ProcessMetrics[],
): Promise<string> {
  const registry = AggregatorRegistry.aggregate<PrometheusContentType>([...metrics]);
  defineMetrics(registry, definitions);
  return registry.metrics();
}
