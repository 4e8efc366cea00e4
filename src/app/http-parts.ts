/** Builds the servers: every route with its own slice of the parts, on the port or ports of the config. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { TieredCache } from '../cache/tiered-cache.ts';
import type { TicketStore } from '../core/grant.ts';
import { isLoopback } from '../config/load.ts';
import type { Config } from '../config/table.ts';
import { createClientOf } from '../core/client-address.ts';
import type { Clock } from '../core/clock.ts';
import type { IngestDeps } from '../flows/ingest-image.ts';
import { locateImage } from '../flows/locate-image.ts';
import type { ServeDeps } from '../flows/serve-image.ts';
import type { Warmer } from '../flows/warm-cache.ts';
import { createAccess } from '../http/access.ts';
import { createClientLimits, type ReadWriteLimits } from '../http/client-limits.ts';
import { createHttpCounters } from '../http/http-counters.ts';
import type { HeadSettings } from '../http/representation-head.ts';
import type { Route, RouteContext } from '../http/routes.ts';
import { adminRoutes } from '../http/routes/admin.ts';
import { apiRoutes } from '../http/routes/api.ts';
import { registerEvents } from '../http/routes/get-events.ts';
import { createGetImage } from '../http/routes/get-image.ts';
import { healthRoutes, metricsRoute } from '../http/routes/health.ts';
import { infoRoutes } from '../http/routes/info.ts';
import { loadPages, pageRoutes, pagesDir } from '../http/routes/pages.ts';
import { streamImageRoutes } from '../http/routes/stream-images.ts';
import { valueRoutes } from '../http/routes/values.ts';
import { writeImageRoutes } from '../http/routes/write-images.ts';
import { registerWs } from '../http/routes/ws-events.ts';
import { startServer, type Server } from '../http/server.ts';
import { createSubscribeAccess, type KeySet, type SubscribeAccess } from '../http/subscribe-access.ts';
import { limitTransfers, transferStats } from '../http/transfers.ts';
import { createUploadBudget } from '../http/upload-budget.ts';
import type { Attention } from '../observe/attention.ts';
import type { HealthChanges } from '../observe/health-changes.ts';
import type { Log } from '../observe/log.ts';
import type { ImagePool } from '../pool/image-pool.ts';
import type { Peers } from '../processes/peers.ts';
import { createAdminActions } from './admin-actions.ts';
import type { EventParts } from './event-parts.ts';
import { createReadings, type Reading } from './readings.ts';
import { LISTED_MAX, readStats } from './stats.ts';
import type { UpstreamParts } from './upstream-parts.ts';
import { packageVersion } from './version.ts';

export interface HttpPartsDeps {
  readonly cache: TieredCache;
  readonly pool: ImagePool;
  readonly events: EventParts;
  readonly ingest: IngestDeps;
  readonly serve: ServeDeps;
  /** Undefined: no application is configured. */
  readonly upstream: UpstreamParts | undefined;
  readonly warmer: Warmer;
  readonly health: HealthChanges;
  readonly attention: Attention;
  readonly clock: Clock;
  readonly log: Log;
  /** What is missing before requests should come here. */
  readonly missing: () => readonly string[];
  /** Undefined: tickets are good on this instance alone. */
  readonly tickets: TicketStore | undefined;
  /** Undefined: this is the only process. */
  readonly peers: Peers<Reading> | undefined;
}

export interface HttpParts {
  readonly server: Server;
  /** Set where metrics have a port of their own. */
  readonly metricsServer: Server | undefined;
}

const KIB = 1024;
const MIB = 1024 * KIB;

const KeySetShape = z.object({ keys: z.array(z.record(z.string(), z.unknown())).min(1) });

function secretsOf(text: string): readonly string[] {
  return text
    .split(',')
    .map((secret) => secret.trim())
    .filter((secret) => secret !== '');
}

async function readKeySet(path: string): Promise<KeySet | undefined> {
  if (path === '') return undefined;
  // jose checks each key when it is used; here only that it is a set at all.
  return KeySetShape.parse(JSON.parse(await readFile(path, 'utf8'))) as KeySet;
}

function createContext(config: Config, { log, attention }: HttpPartsDeps): RouteContext {
  const tokens = { write: secretsOf(config.WRITE_TOKEN), admin: secretsOf(config.ADMIN_TOKEN) };
  const access = createAccess(tokens, config.CORS_ORIGINS, { onLoopback: isLoopback(config.HOST) });
  const clientOf = createClientOf(config.TRUSTED_PROXIES);
  return { access, clientOf, counters: createHttpCounters(), log, attention, running: new Set() };
}

/** Of holders of a token the token is what limits them: a backend uploads for everybody. */
function createLimits(config: Config, clock: Clock): ReadWriteLimits {
  const perSecond = {
    misses: config.RATE_LIMIT_MISSES_PER_S,
    renders: config.RATE_LIMIT_RENDERS_PER_S,
    uploads: config.RATE_LIMIT_UPLOADS_PER_S,
  };
  const reads = createClientLimits({ perSecond, concurrent: config.RATE_LIMIT_CONCURRENT }, clock);
  if (config.WRITE_TOKEN === '') return { reads, writes: reads };
  const none = { misses: 0, renders: 0, uploads: 0 };
  return { reads, writes: createClientLimits({ perSecond: none, concurrent: 0 }, clock) };
}

async function openSubscribeAccess(
  config: Config,
  { clock, tickets }: Pick<HttpPartsDeps, 'clock' | 'tickets'>,
): Promise<SubscribeAccess> {
  const jwks = await readKeySet(config.SUBSCRIBE_JWKS_FILE);
  const jwksAlgorithm = config.SUBSCRIBE_JWT_ALGORITHM;
  const options = { secret: config.SUBSCRIBE_JWT_SECRET, jwks, jwksAlgorithm };
  return createSubscribeAccess(options, clock, tickets);
}

function headSettings(config: Config): HeadSettings {
  return {
    maxAgeS: config.CACHE_MAX_AGE_S,
    cacheEnabled: config.CACHE_ENABLED,
    allowOrigin: config.CORS_ORIGINS.includes('*') ? '*' : '',
  };
}

function buildRoutes(
  config: Config,
  deps: HttpPartsDeps,
  { access, counters }: RouteContext,
  limits: ReadWriteLimits,
): { readonly routes: readonly Route[]; readonly metrics: Route } {
  const { cache, clock, events, health, ingest, log, upstream, warmer } = deps;
  const budget = createUploadBudget(config.UPLOAD_BUDGET_MB * MIB);
  const statsSources = {
    version: packageVersion(),
    startedAtMs: deps.clock.nowMs(),
    memoryLimitEntries: config.MEMORY_CACHE_IMAGES,
    cache: cache.stats,
    pool: deps.pool.stats,
    hub: events.hub.stats,
    warming: warmer.progress,
    health: health.list,
    api: () => upstream?.api.stats(),
    http: counters,
    clients: limits.reads.stats,
    uploadsInFlightBytes: budget.inFlightBytes,
    downloads: transferStats,
  };
  const stats = () => readStats(statsSources);
  const lists = () => ({
    top_topics: events.hub.topTopics(LISTED_MAX),
    slow_readers: events.hub.slowest(LISTED_MAX),
  });
  const { lists: attention } = deps.attention;
  const readings = createReadings({ stats, lists, attention }, deps.peers);
  const imageBytesMax = config.MAX_IMAGE_MB * MIB;
  const locate = (id: string, signal: AbortSignal) => locateImage(id, { cache, clock }, signal);
  const { warm, onCleared } = createAdminActions({ cache, log, warmer }, deps.peers);
  return {
    routes: [
      ...writeImageRoutes({ ingest, access, budget, limits: limits.writes, imageBytesMax }),
      ...streamImageRoutes({ ingest, access, limits: limits.writes, imageBytesMax }),
      ...infoRoutes({ cache, access, limits: limits.reads }),
      ...valueRoutes({
        values: { cache, clock },
        access,
        budget,
        limits,
        valueBytesMax: imageBytesMax,
        head: headSettings(config),
      }),
      ...(upstream === undefined
        ? []
        : apiRoutes({
            api: upstream.api,
            budget,
            limits: limits.reads,
            bodyBytesMax: config.API_MAX_BODY_MB * MIB,
            log,
          })),
      ...adminRoutes({ access, cache, stats: readings.adminStats, locate, budget, warm, onCleared }),
      ...healthRoutes({ missing: deps.missing }),
      ...pageRoutes(loadPages(pagesDir())),
    ],
    metrics: metricsRoute(readings),
  };
}

export async function startHttp(config: Config, deps: HttpPartsDeps): Promise<HttpParts> {
  const { events, serve, clock } = deps;
  limitTransfers(config.DOWNLOAD_BUDGET_MB * MIB);
  const context = createContext(config, deps);
  const streams = {
    hub: events.hub,
    inlineLimitBytes: config.EVENTS_INLINE_MAX_KB * KIB,
    context,
    subscribeAccess: await openSubscribeAccess(config, deps),
    random: Math.random,
    stallMs: config.EVENTS_STALL_S * 1000,
  };
  const limits = createLimits(config, clock);
  const { routes, metrics } = buildRoutes(config, deps, context, limits);
  const hasMetricsPort = config.METRICS_PORT !== 0;
  const tls = { certFile: config.TLS_CERT_FILE, keyFile: config.TLS_KEY_FILE };
  const server = await startServer({
    host: config.HOST,
    port: config.PORT,
    ...(tls.certFile === '' ? {} : { tls }),
    context,
    getImage: createGetImage({
      serve,
      head: headSettings(config),
      sizes: config.VARIANT_SIZES,
      signingKeys: secretsOf(config.SIGNING_KEYS),
      signedOnly: config.SIGNED_ONLY,
      limits: limits.reads,
      context,
    }),
    mountStreams: (app) => {
      registerEvents(app, streams);
      registerWs(app, streams);
    },
    routes: hasMetricsPort ? routes : [...routes, metrics],
  });
  if (!hasMetricsPort) return { server, metricsServer: undefined };
  const own = { host: config.HOST, port: config.METRICS_PORT, context, routes: [metrics] };
  const metricsServer = await startServer(own).catch(async (error: unknown) => {
    await server.close(0);
    throw error;
  });
  return { server, metricsServer };
}
