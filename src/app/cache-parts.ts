/** Builds the tiers that the config asks for, and the cache over them. */
import { createDiskTier, type DiskTier } from '../cache/disk-tier.ts';
import { createMemoryTier } from '../cache/memory-tier.ts';
import { createTieredCache, type TieredCache } from '../cache/tiered-cache.ts';
import type { Config } from '../config/table.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../observe/log.ts';
import { createAzureParts } from './azure-parts.ts';

export interface CacheParts {
  readonly cache: TieredCache;
  readonly disk: DiskTier | undefined;
  close(): Promise<void>;
}

const MIB = 1024 * 1024;

export async function createCacheParts(
  config: Config,
  deps: { readonly clock: Clock; readonly log: Log },
): Promise<CacheParts> {
  const { clock, log } = deps;
  const limits = { limitBytes: config.MEMORY_CACHE_MB * MIB, limitEntries: config.MEMORY_CACHE_IMAGES };
  const memory = config.CACHE_ENABLED ? createMemoryTier(limits, clock) : undefined;
  const disk = config.CACHE_DIR === '' ? undefined : openDisk(config, { clock, log, isHot });
  function isHot(key: string): boolean {
    return memory?.peek(key) !== undefined;
  }
  if (disk !== undefined) log.info({ dir: config.CACHE_DIR }, 'Using disk cache backend');
  const azure = await createAzureParts(config, { clock, log, keep: disk?.keep });
  const tiers = disk === undefined ? [] : [disk];
  const cache = createTieredCache(
    { memory, tiers, ...(azure === undefined ? {} : { origin: azure.origin }) },
    { clock },
  );
  return {
    cache,
    disk,
    close: async () => {
      // The origin first: it may still be writing a large body to disk.
      await azure?.origin.close();
      await disk?.close();
    },
  };
}

function openDisk(
  config: Config,
  deps: { readonly clock: Clock; readonly log: Log; readonly isHot: (key: string) => boolean },
): DiskTier {
  return createDiskTier(
    {
      dir: config.CACHE_DIR,
      limitBytes: config.CACHE_SIZE_MB * MIB,
      minFreeBytes: config.CACHE_MIN_FREE_MB * MIB,
    },
    deps,
  );
}
