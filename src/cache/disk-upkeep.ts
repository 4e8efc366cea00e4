/** What the disk tier does by itself: takes over the folder at start, and sweeps every minute. */
import { mkdir } from 'node:fs/promises';
import type { DiskChanges } from './disk-changes.ts';
import { isDiskItemExpired } from './disk-item.ts';
import type { DiskParts } from './disk-parts.ts';

export interface DiskUpkeep {
  /** Never rejects: a folder that cannot be read is noted, and tried again by each sweep. */
  readonly loaded: Promise<void>;
  sweep(): Promise<void>;
}

const SWEEP_EVERY_MS = 60_000;

/** Runs until `stop`. */
export function startDiskUpkeep(parts: DiskParts, changes: DiskChanges, stop: AbortSignal): DiskUpkeep {
  async function load(): Promise<void> {
    try {
      await mkdir(parts.paths.temp, { recursive: true });
      await parts.inheritance.run();
      await parts.eviction.shrink(stop);
    } catch (error) {
      parts.health.reads.failed(error);
    }
  }

  let sweeping: Promise<void> | undefined;
  async function sweepOnce(): Promise<void> {
    await loaded;
    try {
      if (parts.inheritance.isLoading()) await load();
      await changes.purge((item) => isDiskItemExpired(item, parts.nowMs()), stop);
      await parts.eviction.shrink(stop);
    } finally {
      sweeping = undefined;
    }
  }

  async function sweep(): Promise<void> {
    sweeping ??= sweepOnce();
    return sweeping;
  }

  const loaded = load();
  const sweeper = setInterval(() => parts.background(sweep()), SWEEP_EVERY_MS).unref();
  stop.addEventListener('abort', () => clearInterval(sweeper), { once: true });
  return { loaded, sweep };
}
