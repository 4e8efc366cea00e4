/**
 * The composition root: builds every part in order from the checked config, hands each its own slice,
 * and takes them down in the opposite order. The only place where parts meet.
 */
import { availableParallelism } from 'node:os';
import { createCacheParts } from './app/cache-parts.ts';
import { metricDefinitions } from './app/metric-definitions.ts';
import { readStats } from './app/stats.ts';
import { packageVersion } from './app/version.ts';
import { startWarming } from './app/warming.ts';
import { createKeyedLock } from './cache/keyed-lock.ts';
import type { Found } from './cache/lookup.ts';
import { createSingleFlight } from './cache/single-flight.ts';
import type { Config } from './config/table.ts';
import { systemClock } from './core/clock.ts';
import { imageKey } from './core/keys.ts';
import { createLocalBus } from './events/local-bus.ts';
import { createPartialThrottle } from './events/partial-throttle.ts';
import type { IngestDeps } from './flows/ingest-image.ts';
import type { ServeDeps } from './flows/serve-image.ts';
import { createAccess } from './http/access.ts';
import { createHttpCounters } from './http/http-counters.ts';
import type { HeadSettings } from './http/representation-head.ts';
import type { RouteContext } from './http/routes.ts';
import { adminRoutes } from './http/routes/admin.ts';
import { createGetImage } from './http/routes/get-image.ts';
import { healthRoutes, metricsRoute } from './http/routes/health.ts';
import { infoRoutes } from './http/routes/info.ts';
import { loadPages, pageRoutes, pagesDir } from './http/routes/pages.ts';
import { streamImageRoutes } from './http/routes/stream-images.ts';
import { writeImageRoutes } from './http/routes/write-images.ts';
import { startServer } from './http/server.ts';
import { createUploadBudget } from './http/upload-budget.ts';
import type { Log } from './observe/log.ts';
import { createMetrics } from './observe/metrics.ts';
import { createImagePool } from './pool/pool.ts';

export interface App {
  readonly url: string;
  readonly port: number;
  /** Finishes what has begun, tells the streams, frees everything. A second call waits for the first. */
  close(): Promise<void>;
}

export interface AppOptions {
  readonly log: Log;
  /** The built worker; tests that run from source name the one in dist. */
  readonly workerUrl?: URL;
}

const MIB = 1024 * 1024;
const STORE_TIMEOUT_MS = 30_000;

function createPool(config: Config, workerUrl: URL) {
  return createImagePool({
    threads: config.WORKER_THREADS || Math.max(2, availableParallelism()),
    queueLimit: config.WORKER_QUEUE,
    timeoutMs: config.WORKER_TIMEOUT_MS,
    limits: { imageBytes: config.MAX_IMAGE_MB * MIB, pixels: config.MAX_IMAGE_MEGAPIXELS * 1_000_000 },
    webpEffort: config.WEBP_EFFORT,
    sizes: config.VARIANT_SIZES,
    workerUrl,
  });
}

function secretsOf(text: string): readonly string[] {
  return text
    .split(',')
    .map((secret) => secret.trim())
    .filter((secret) => secret !== '');
}

/** Starts everything; resolves when requests are answered. Rejects, with nothing left running, when it can't. */
export async function startApp(config: Config, options: AppOptions): Promise<App> {
  const { log, workerUrl = new URL('../workers/image-worker.js', import.meta.url) } = options;
  const clock = systemClock;
  const startedAtMs = clock.nowMs();
  const { cache, disk, close: closeCache } = createCacheParts(config, { clock, log });
  const pool = createPool(config, workerUrl);
  const bus = createLocalBus(
    {
      limitEvents: config.HISTORY_EVENTS,
      limitBytes: config.HISTORY_MB * MIB,
      maxAgeMs: config.HISTORY_AGE_S * 1000,
    },
    clock,
  );

  const partials = createPartialThrottle(bus.publish, config.PARTIAL_INTERVAL_MS, (error) =>
    log.error({ err: error }, 'an event could not be published'),
  );

  const order = createKeyedLock();
  const renders = createSingleFlight<Found>();
  const ingest: IngestDeps = {
    pool,
    cache,
    announce: partials.publish,
    clock,
    inOrder: async (id, signal, work) => order.run(id, signal, work),
    publicBaseUrl: config.PUBLIC_BASE_URL.replace(/\/$/, ''),
    storeTimeoutMs: STORE_TIMEOUT_MS,
  };
  const serve: ServeDeps = {
    cache,
    pool,
    coalesceRenders: async (key, signal, work) =>
      (await renders.run(key, signal, async (flight) => work(flight.signal))).value,
    renderSourceBytesMax: config.MAX_IMAGE_MB * MIB,
  };

  const warmer = startWarming(config, { cache, disk, log });

  const tokens = { write: secretsOf(config.WRITE_TOKEN), admin: secretsOf(config.ADMIN_TOKEN) };
  const access = createAccess(tokens, config.CORS_ORIGINS);
  const counters = createHttpCounters();
  const budget = createUploadBudget(config.UPLOAD_BUDGET_MB * MIB);
  const stats = () =>
    readStats({
      version: packageVersion(),
      startedAtMs,
      memoryLimitEntries: config.MEMORY_CACHE_IMAGES,
      cache: cache.stats,
      pool: pool.stats,
      warming: warmer.progress,
      hub: () => ({
        subscribers: 0,
        published: 0,
        deliveries: 0,
        bytes: 0,
        conflated: 0,
        waitingBytes: 0,
        closed: {},
      }),
      http: counters,
      uploadsInFlightBytes: budget.inFlightBytes,
    });
  const metrics = createMetrics(metricDefinitions(stats));
  let stopping = false;

  const context: RouteContext = { access, counters, log, running: new Set() };
  const head: HeadSettings = {
    maxAgeS: config.CACHE_MAX_AGE_S,
    cacheEnabled: config.CACHE_ENABLED,
    allowOrigin: config.CORS_ORIGINS.includes('*') ? '*' : '',
  };
  const health = {
    missing: () => (stopping ? ['the server is stopping'] : []),
    metricsText: metrics.text,
    metricsMime: metrics.mime,
  };
  const ownMetrics =
    config.METRICS_PORT === 0
      ? undefined
      : await startServer({
          host: config.HOST,
          port: config.METRICS_PORT,
          context,
          routes: [metricsRoute(health)],
        });
  const server = await startServer({
    host: config.HOST,
    port: config.PORT,
    ...(config.TLS_CERT_FILE === ''
      ? {}
      : { tls: { certFile: config.TLS_CERT_FILE, keyFile: config.TLS_KEY_FILE } }),
    context,
    getImage: createGetImage({
      serve,
      access,
      head,
      sizes: config.VARIANT_SIZES,
      signingKeys: secretsOf(config.SIGNING_KEYS),
      signedOnly: config.SIGNED_ONLY,
      counters,
      log,
    }),
    routes: [
      ...writeImageRoutes({ ingest, access, budget, imageBytesMax: config.MAX_IMAGE_MB * MIB }),
      ...streamImageRoutes({ ingest, access, imageBytesMax: config.MAX_IMAGE_MB * MIB }),
      ...infoRoutes({ cache, access }),
      ...adminRoutes({ access, cache, ingest, stats, budget, warm: (ids) => warmer.add(ids.map(imageKey)) }),
      ...healthRoutes(health),
      ...(ownMetrics === undefined ? [metricsRoute(health)] : []),
      ...pageRoutes(loadPages(pagesDir())),
    ],
  });

  const close = async (): Promise<void> => {
    stopping = true;
    warmer.stop();
    await server.close(config.STOP_GRACE_S * 1000);
    await ownMetrics?.close(0);
    await pool.close();
    partials.close();
    await bus.close();
    await closeCache();
  };
  let closing: Promise<void> | undefined;
  const scheme = config.TLS_CERT_FILE === '' ? 'http' : 'https';
  const host = config.HOST.includes(':') ? `[${config.HOST}]` : config.HOST;
  log.info({ host: config.HOST, port: server.port }, `listening on ${scheme}://${host}:${server.port}`);
  void disk?.loaded.then(() => log.info({ entries: disk.stats().entries }, 'disk tier indexed'));
  return {
    url: `${scheme}://${host}:${server.port}`,
    port: server.port,
    close: async () => (closing ??= close()),
  };
}
