/**
 * The composition root: builds every part in order from the checked config, hands each its own slice,
 * and takes them down in the opposite order. The only place where parts meet.
 */
import { availableParallelism } from 'node:os';
import { createCacheParts } from './app/cache-parts.ts';
import { createEventParts } from './app/event-parts.ts';
import { guardHandles, type HandleGuard } from './app/handle-guard.ts';
import { startHttp } from './app/http-parts.ts';
import type { Reading } from './app/readings.ts';
import { openRedis } from './app/redis-parts.ts';
import { createUpstreamParts } from './app/upstream-parts.ts';
import { startWarming } from './app/warming.ts';
import { createKeyedLock } from './cache/keyed-lock.ts';
import type { Found } from './cache/lookup.ts';
import { createSingleFlight } from './cache/single-flight.ts';
import type { Config } from './config/table.ts';
import type { PartialThrottle } from './events/partial-throttle.ts';
import { systemClock } from './core/clock.ts';
import type { IngestDeps } from './flows/ingest-image.ts';
import type { ServeDeps } from './flows/serve-image.ts';
import { createAttention } from './observe/attention.ts';
import { createHealthChanges } from './observe/health-changes.ts';
import type { Log } from './observe/log.ts';
import type { ImagePool } from './pool/image-pool.ts';
import { createGate } from './pool/gate.ts';
import { createImagePool } from './pool/pool.ts';
import type { Peers } from './processes/peers.ts';

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
  /** Set where this is one of several processes. */
  readonly peers?: Peers<Reading>;
}

const MIB = 1024 * 1024;
/** A thread's own objects, and a few times the text of an image in JSON; buffers are not counted. */
const WORKER_HEAP_MB = 128;
const WORKER_HEAP_PER_IMAGE_MB = 4;
const STORE_TIMEOUT_MS = 30_000;

function createPool(config: Config, workerUrl: URL) {
  return createImagePool({
    threads: config.WORKER_THREADS || Math.max(2, availableParallelism()),
    queueLimit: config.WORKER_QUEUE,
    timeoutMs: config.WORKER_TIMEOUT_MS,
    nice: config.WORKER_NICE,
    heapMb: WORKER_HEAP_MB + WORKER_HEAP_PER_IMAGE_MB * config.MAX_IMAGE_MB,
    limits: { imageBytes: config.MAX_IMAGE_MB * MIB, pixels: config.MAX_IMAGE_MEGAPIXELS * 1_000_000 },
    webpEffort: config.WEBP_EFFORT,
    sizes: config.VARIANT_SIZES,
    workerUrl,
  });
}

async function delay(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

function addressOf(config: Config, port: number): string {
  const scheme = config.TLS_CERT_FILE === '' ? 'http' : 'https';
  const host = config.HOST.includes(':') ? `[${config.HOST}]` : config.HOST;
  return `${scheme}://${host}:${port}`;
}

interface FlowParts extends Pick<IngestDeps, 'cache' | 'clock' | 'publicBaseUrl'> {
  readonly pool: ImagePool;
  readonly partials: PartialThrottle;
}

/** What the stories of an image coming in and going out need. */
function createFlows(
  config: Config,
  parts: FlowParts,
): { readonly ingest: IngestDeps; readonly serve: ServeDeps } {
  const { cache, pool, partials, clock, publicBaseUrl } = parts;
  const renders = createSingleFlight<Found>();
  const announce = partials.publish;
  const ingest = createIngest({ pool, cache, announce, clock, publicBaseUrl });
  const serve: ServeDeps = {
    cache,
    pool,
    coalesceRenders: async (key, signal, work) =>
      (await renders.run(key, signal, async (flight) => work(flight.signal))).value,
    largeSources: createGate(pool.stats().threads, config.WORKER_QUEUE),
    renderSourceBytesMax: config.MAX_IMAGE_MB * MIB,
  };
  return { ingest, serve };
}

type IngestParts = Pick<IngestDeps, 'pool' | 'cache' | 'announce' | 'clock' | 'publicBaseUrl'>;

function createIngest(parts: IngestParts): IngestDeps {
  const order = createKeyedLock();
  return {
    ...parts,
    inOrder: async (id, signal, work) => order.run(id, signal, work),
    storeTimeoutMs: STORE_TIMEOUT_MS,
  };
}

/** Starts everything; resolves when requests are answered. Rejects, with nothing left running, when it can't. */
export async function startApp(config: Config, options: AppOptions): Promise<App> {
  const { log, workerUrl = new URL('../workers/worker-entry.cjs', import.meta.url) } = options;
  const clock = systemClock;
  const pool = createPool(config, workerUrl);
  const health = createHealthChanges(clock);
  const attention = createAttention(clock);
  const redis = await openRedis(config, { pool, clock, log, health });
  const said = { clock, log, health, attention };
  const tiers = await createCacheParts(config, { ...said, redis, workers: new URL('.', workerUrl) });
  const { cache, disk } = tiers;
  const events = await createEventParts(config, { cache, pool, redis, clock, log });
  const { bus, hub, partials } = events;
  const publicBaseUrl = config.PUBLIC_BASE_URL.replace(/\/$/, '');
  redis?.follow({ cache, pool, announce: partials.publish, publicBaseUrl });
  const { ingest, serve } = createFlows(config, { cache, pool, partials, clock, publicBaseUrl });
  const upstream = createUpstreamParts(config, { cache, clock, log, health });
  const warmer = startWarming(config, { cache, disk: redis === undefined ? disk : undefined, log });
  let stopping = false;
  let handles: HandleGuard | undefined;
  const missing = (): readonly string[] => [
    ...(stopping ? ['the server is stopping'] : []),
    ...(handles?.areShort() === true ? ['file handles run short'] : []),
  ];

  const freeParts = async (): Promise<void> => {
    warmer.stop();
    upstream?.close();
    partials.close();
    await pool.close();
    await bus.close();
    await tiers.close();
    await redis?.close();
  };
  const start = async () => {
    try {
      const parts = { cache, pool, events, ingest, serve, upstream, warmer, missing };
      const shared = { tickets: redis?.tickets, peers: options.peers };
      return await startHttp(config, { ...said, ...parts, ...shared });
    } catch (error) {
      await freeParts();
      throw error;
    }
  };
  const { server, metricsServer } = await start();
  handles = guardHandles(server, log);

  const close = async (): Promise<void> => {
    stopping = true;
    handles?.stop();
    const graceMs = config.STOP_GRACE_S * 1000;
    if (config.STOP_DELAY_S > 0) await delay(config.STOP_DELAY_S * 1000);
    server.stopListening();
    await hub.close(graceMs / 2);
    await server.close(graceMs / 2);
    await metricsServer?.close(0);
    await freeParts();
  };
  let closing: Promise<void> | undefined;
  const url = addressOf(config, server.port);
  log.info({ host: config.HOST, port: server.port }, `listening on ${url}`);
  void disk?.loaded.then(() => log.info({ entries: disk.stats().entries }, 'disk tier indexed'));
  return { url, port: server.port, close: async () => (closing ??= close()) };
}
