/** Builds the tiers that the config asks for, and the cache over them. */
import { createDiskTier, type DiskTier } from '../cache/disk-tier.ts';
import { createHeadsThread } from '../cache/heads-thread.ts';
import { createMemoryTier, type MemoryTier } from '../cache/memory-tier.ts';
import type { Tier } from '../cache/tier.ts';
import { createTieredCache, type TieredCache } from '../cache/tiered-cache.ts';
import type { Config } from '../config/table.ts';
import type { Clock } from '../core/clock.ts';
import { valueKey } from '../core/keys.ts';
import type { Attention } from '../observe/attention.ts';
import type { HealthChanges } from '../observe/health-changes.ts';
import type { Log } from '../observe/log.ts';
import { createTrustedMemory } from '../redis/trusted-memory.ts';
import { createAzureParts } from './azure-parts.ts';
import type { RedisParts } from './redis-parts.ts';

export interface CacheParts {
  readonly cache: TieredCache;
  readonly disk: DiskTier | undefined;
  close(): Promise<void>;
}

export interface CachePartsDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly health: HealthChanges;
  readonly attention: Attention;
  readonly redis: RedisParts | undefined;
  /** The folder of the built workers. */
  readonly workers: URL;
}

const MIB = 1024 * 1024;
const PROBE_TIMEOUT_MS = 5000;
/** Of a stop's time: about half a second. */
const HOTTEST_NOTED = 10_000;

export async function createCacheParts(config: Config, deps: CachePartsDeps): Promise<CacheParts> {
  const { clock, log, health, redis } = deps;
  const memory = config.CACHE_ENABLED ? openMemory(config, deps) : undefined;
  const isHot = (key: string): boolean => memory?.peek(key) !== undefined;
  const disk = config.CACHE_DIR === '' ? undefined : openDisk(config, { ...deps, isHot });
  const store = redis === undefined ? disk : redis.createTier(disk);
  await sayBackend(store, redis, log);
  // Large bodies are kept on disk only where lookups go there.
  const keep = redis === undefined ? disk?.keep : undefined;
  const azure = await createAzureParts(config, { clock, log, keep, health });
  const cache = createTieredCache(
    {
      memory,
      tiers: store === undefined ? [] : [store],
      // It forgets when Redis is back from an outage.
      memoryKeepsAlone: redis === undefined,
      ...(azure === undefined ? {} : { origin: azure.origin }),
    },
    { clock },
  );
  return {
    cache,
    disk,
    close: async () => {
      // The origin first: it may still be writing a large body to disk.
      await azure?.origin.close();
      // Hits in memory left no trace on disk: the next start would warm it with other images.
      await disk?.noteHottest(memory?.keys().slice(0, HOTTEST_NOTED) ?? []);
      await store?.close();
    },
  };
}

function openMemory(config: Config, { clock, redis, attention }: CachePartsDeps): MemoryTier {
  const limits = {
    limitBytes: config.MEMORY_CACHE_MB * MIB,
    limitEntries: config.MEMORY_CACHE_IMAGES,
    policy: config.MEMORY_POLICY,
    onEvicted: attention.evicted,
  };
  const memory = createMemoryTier(limits, clock);
  return redis === undefined ? memory : createTrustedMemory(memory, redis.isMemoryTrusted);
}

/** One lookup shows whether Redis is there: the tier itself then says what it goes by. */
async function sayBackend(store: Tier | undefined, redis: RedisParts | undefined, log: Log): Promise<void> {
  if (store === undefined) log.warn('CACHE_DIR is empty: what memory evicts is gone');
  else if (redis === undefined) log.info('Using disk cache backend');
  else await store.get(valueKey('start'), AbortSignal.timeout(PROBE_TIMEOUT_MS)).catch(() => undefined);
}

function openDisk(
  config: Config,
  { health, workers, ...deps }: Omit<CachePartsDeps, 'redis'> & { readonly isHot: (key: string) => boolean },
): DiskTier {
  health.note('disk', 'working', 'start');
  const { CACHE_DIR: dir, WORKER_NICE: nice } = config;
  return createDiskTier(
    {
      dir,
      limitBytes: config.CACHE_SIZE_MB * MIB,
      minFreeBytes: config.CACHE_MIN_FREE_MB * MIB,
    },
    {
      ...deps,
      heads: createHeadsThread({
        dir,
        nice,
        url: new URL('read-heads.js', workers),
        onLost: (error) =>
          deps.log.warn({ err: error }, 'the thread that reads the folder is lost: going on without'),
      }),
      onState: (state, reason) => health.note('disk', state, reason),
    },
  );
}
