/** Starts the warmer: with the ids of WARM_FILE, and with what was hottest on disk before this start. */
import { readFile } from 'node:fs/promises';
import type { DiskTier } from '../cache/disk-tier.ts';
import type { TieredCache } from '../cache/tiered-cache.ts';
import type { Config } from '../config/table.ts';
import { imageKey } from '../core/keys.ts';
import { createWarmer, type Warmer } from '../flows/warm-cache.ts';
import type { Log } from '../observe/log.ts';

export interface WarmingParts {
  readonly cache: TieredCache;
  readonly disk: DiskTier | undefined;
  readonly log: Log;
}

/** Warming stops here: the rest of memory is for what is really asked for. */
const FULL_SHARE = 0.8;
const HOTTEST_MAX = 10_000;

function hasRoom(cache: TieredCache): boolean {
  const memory = cache.stats().tiers.find((tier) => tier.name === 'memory');
  return memory !== undefined && memory.bytes < memory.limitBytes * FULL_SHARE;
}

async function idsOfFile(path: string): Promise<string[]> {
  const text = await readFile(path, 'utf8');
  return text.split(/\r?\n/).filter((line) => line.trim() !== '');
}

export function startWarming(config: Config, parts: WarmingParts): Warmer {
  const { cache, disk, log } = parts;
  const warmer = createWarmer({
    cache,
    hasRoom: () => hasRoom(cache),
    onProgress: (progress) => log.info(progress, 'warming'),
  });
  const begin = async (): Promise<void> => {
    if (config.WARM_FILE !== '') warmer.add((await idsOfFile(config.WARM_FILE)).map(imageKey));
    if (!config.WARM_FROM_DISK || disk === undefined) return;
    await disk.loaded;
    const hottest = disk.hottest(HOTTEST_MAX);
    if (hottest.length > 0) warmer.add(hottest);
  };
  begin().catch((error: unknown) =>
    log.warn(
      { err: error, file: config.WARM_FILE },
      'warming could not begin: look at WARM_FILE; images are served all the same',
    ),
  );
  return warmer;
}
