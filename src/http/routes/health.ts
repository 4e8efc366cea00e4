/** /livez, /readyz and /metrics: for probes and scrapers; none of them waits for anything. */
import { AppError } from '../../errors.ts';
import type { Headers } from '../exchange.ts';
import type { Route } from '../routes.ts';

export interface HealthDeps {
  /** What is missing before requests should come here; [] when nothing is. */
  readonly missing: () => readonly string[];
}

export interface MetricsDeps {
  readonly metricsText: () => Promise<string>;
  readonly metricsMime: string;
}

const NO_STORE = ['Cache-Control', 'no-store'] as const;
const JSON_HEADERS: Headers = [['Content-Type', 'application/json'], NO_STORE];

export function healthRoutes(deps: HealthDeps): readonly Route[] {
  return [
    {
      method: 'get',
      pattern: '/livez',
      handle: (exchange) => exchange.send({ status: 200, headers: JSON_HEADERS, body: '{"status":"ok"}\n' }),
    },
    {
      method: 'get',
      pattern: '/readyz',
      handle: (exchange) => {
        const missing = deps.missing();
        if (missing.length > 0) throw new AppError('not_ready', `Not ready: ${missing.join(', ')}.`);
        exchange.send({ status: 200, headers: JSON_HEADERS, body: '{"status":"ready"}\n' });
      },
    },
  ];
}

export function metricsRoute(deps: MetricsDeps): Route {
  return {
    method: 'get',
    pattern: '/metrics',
    handle: async (exchange) => {
      const body = await deps.metricsText();
      exchange.send({ status: 200, headers: [['Content-Type', deps.metricsMime], NO_STORE], body });
    },
  };
}
