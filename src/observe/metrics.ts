/**
 * Prometheus metrics from a reading of every part's plain counters, taken when somebody scrapes: the
 * parts themselves know nothing of Prometheus, and a hit pays nothing for it.
 */
import { Counter, Gauge, Registry, collectDefaultMetrics } from 'prom-client';

/** One number of one moment. */
export interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface MetricDefinition {
  readonly name: string;
  readonly help: string;
  readonly kind: 'counter' | 'gauge';
  readonly labels?: readonly string[];
  readonly read: () => readonly Sample[];
}

export interface Metrics {
  text(): Promise<string>;
  readonly mime: string;
}

export const METRIC_PREFIX = 'afterimage_';

/** Adds them to what the registry gives. */
export function defineMetrics(registry: Registry, definitions: readonly MetricDefinition[]): void {
  // Creating one registers it.
  for (const { name, help, kind, labels = [], read } of definitions) {
    const Kind = kind === 'counter' ? Counter : Gauge;
    new Kind({
      name: `${METRIC_PREFIX}${name}`,
      help,
      labelNames: [...labels],
      registers: [registry],
      collect() {
        // The parts hold the running totals: a scrape copies them.
        this.reset();
        for (const sample of read()) this.inc({ ...sample.labels }, sample.value);
      },
    });
  }
}

export function createMetrics(definitions: readonly MetricDefinition[]): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: METRIC_PREFIX });
  defineMetrics(registry, definitions);
  return { text: async () => registry.metrics(), mime: registry.contentType };
}
