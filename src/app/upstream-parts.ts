/** Builds the cache in front of the upstream application that the config names. */
import { createBreaker, type BreakerStats } from '../cache/breaker.ts';
import type { Cache } from '../cache/lookup.ts';
import { parseApiRoute, parseUpstream } from '../config/api-routes.ts';
import type { Config } from '../config/table.ts';
import { steadyClock, type Clock } from '../core/clock.ts';
import type { HealthChanges } from '../observe/health-changes.ts';
import type { Log } from '../observe/log.ts';
import { createApiCache, type ApiCache } from '../upstream/api-cache.ts';
import { createApiFetch } from '../upstream/api-fetch.ts';
import { createApiStore } from '../upstream/api-store.ts';
import { createUpstreamClient } from '../upstream/upstream-client.ts';

export interface UpstreamParts {
  readonly api: ApiCache;
  readonly breaker: () => BreakerStats;
  close(): void;
}

export interface UpstreamPartsDeps {
  readonly cache: Cache;
  readonly clock: Clock;
  readonly log: Pick<Log, 'info' | 'warn'>;
  /** For the history on the dashboard. */
  readonly health: Pick<HealthChanges, 'note'>;
}

const MIB = 1024 * 1024;
const BREAKER = { failuresToOpen: 10, pauseMs: 1000, pauseMsMax: 8000 };

/** Undefined: no application is configured. */
export function createUpstreamParts(config: Config, deps: UpstreamPartsDeps): UpstreamParts | undefined {
  const { cache, clock, log, health } = deps;
  const base = parseUpstream(config.API_UPSTREAM);
  if (base === undefined) return undefined;
  const breaker = createBreaker(BREAKER, steadyClock, (to) => {
    if (to === 'open') log.warn({ upstream: base.origin }, 'the application fails: what is cached goes on');
    if (to === 'closed') log.info({ upstream: base.origin }, 'the application answers again');
    health.note('upstream-breaker', to);
  });
  health.note('upstream-breaker', 'closed', 'start');
  const client = createUpstreamClient({ base, timeoutMs: config.API_TIMEOUT_MS }, breaker);
  const store = createApiStore(cache);
  const fetch = createApiFetch(
    {
      revalidateMs: config.API_STALE_WHILE_REVALIDATE_S * 1000,
      errorMs: config.API_STALE_IF_ERROR_S * 1000,
      bodyBytesMax: config.API_MAX_BODY_MB * MIB,
    },
    { client, store, clock },
  );
  const routes = config.API_ROUTES.map(parseApiRoute).filter((route) => route !== undefined);
  const api = createApiCache({ routes, enabled: config.CACHE_ENABLED }, { fetch, client, store, clock });
  log.info({ upstream: base.origin, routes: routes.length }, 'caching responses of an application');
  return { api, breaker: breaker.stats, close: client.close };
}
