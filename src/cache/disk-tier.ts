/**
 * The disk tier: a file for each entry, an index in memory. Survives restarts, stays within its bytes,
 * never serves what is not whole. It knows nothing of the other tiers.
 *
 * Two processes may share a folder (a new one starts while the old one ends): files appear whole and
 * every read checks what it reads, so neither can harm the other; each keeps its own count of bytes.
 */
import type { Clock } from '../core/clock.ts';
import type { Log } from '../observe/log.ts';
import { abortable } from './abortable.ts';
import { createDiskChanges } from './disk-changes.ts';
import { createDiskEviction } from './disk-eviction.ts';
import { createDiskFolder } from './disk-folder.ts';
import { createHeadReader, type HeadReader } from './disk-heads.ts';
import { createDiskHealth, type DiskState } from './disk-health.ts';
import { createDiskIndex } from './disk-index.ts';
import { createDiskInheritance } from './disk-inheritance.ts';
import { isDiskItemExpired, type DiskItem } from './disk-item.ts';
import { createDiskKeep } from './disk-keep.ts';
import { createDiskLookup } from './disk-lookup.ts';
import type { DiskParts } from './disk-parts.ts';
import { createDiskPaths } from './disk-paths.ts';
import { createDiskSpace } from './disk-space.ts';
import { startDiskUpkeep } from './disk-upkeep.ts';
import type { Keep } from './origin.ts';
import type { Tier } from './tier.ts';

export interface DiskTierOptions {
  readonly dir: string;
  readonly limitBytes: number;
  readonly minFreeBytes: number;
  /** Larger bodies come as a BodyStream. */
  readonly wholeBytesMax?: number;
}

export interface DiskTierDeps {
  readonly clock: Clock;
  readonly log: Pick<Log, 'info' | 'warn'>;
  /** Whether the memory tier has the key: it is then in use, though nobody reads it from disk. */
  readonly isHot?: (key: string) => boolean;
  /** Once per change. */
  readonly onState?: (state: DiskState, reason: string) => void;
  /** Looks at what an earlier run left; by default in this thread, a few files at a time. */
  readonly heads?: HeadReader;
  /** Between two slices of the loading; for tests to count. */
  readonly yieldTurn?: () => Promise<unknown>;
}

export interface DiskTier extends Tier {
  /** When everything inherited is in the index, and within the limits. Never rejects. */
  readonly loaded: Promise<void>;
  isLoading(): boolean;
  /** Takes in a body that is too large to hold, while it passes through. */
  readonly keep: Keep;
  /** The keys to warm memory with, hottest first. */
  hottest(count: number): string[];
  /** What was used of late where the disk does not see it, hottest first: for the next run. */
  noteHottest(keys: readonly string[]): Promise<void>;
  /** Removes what has expired and what does not fit any more; also done by itself every minute. */
  sweep(): Promise<void>;
}

const WHOLE_BYTES_MAX = 8 * 1024 * 1024;

/** Starts to read the folder at once, in the background. */
export function createDiskTier(options: DiskTierOptions, deps: DiskTierDeps): DiskTier {
  const stop = new AbortController();
  const running = new Set<Promise<void>>();
  const parts = createParts(options, deps, stop.signal, running);
  const { index, eviction, inheritance } = parts;
  const lookup = createDiskLookup(parts, options.wholeBytesMax ?? WHOLE_BYTES_MAX);
  const changes = createDiskChanges(parts);
  const keeping = createDiskKeep(parts, stop.signal);
  const upkeep = startDiskUpkeep(parts, changes, stop.signal);

  async function deleteWhere(test: (key: string) => boolean, signal: AbortSignal): Promise<number> {
    keeping.cancelWhere(test);
    const known = await changes.purge((item) => test(item.key), signal);
    if (!inheritance.isLoading()) return known;
    await abortable(upkeep.loaded, signal);
    // What was found meanwhile; what was put meanwhile came after the deletion.
    return known + (await changes.purge((item) => item.inherited && test(item.key), signal));
  }

  /** A millisecond apart, so that their order is kept. */
  async function noteHottest(keys: readonly string[]): Promise<void> {
    const nowMs = parts.nowMs();
    const known = keys.filter((key) => index.get(key) !== undefined);
    for (const [at, key] of known.entries()) await parts.folder.touch(parts.paths.nameOf(key), nowMs - at);
  }

  async function close(): Promise<void> {
    stop.abort();
    await upkeep.loaded;
    while (running.size > 0) await Promise.all(running);
  }

  return {
    name: 'disk',
    get: lookup.get,
    has: (key) => {
      const item = index.get(key);
      return item !== undefined && !isDiskItemExpired(item, parts.nowMs());
    },
    put: async (entry, body, signal) => {
      if (stop.signal.aborted) return false;
      keeping.cancel(entry.key);
      const written = changes.put(entry, body, signal);
      parts.background(written.catch(() => undefined));
      return written;
    },
    delete: async (key, signal) => {
      keeping.cancel(key);
      return changes.delete(key, signal);
    },
    deleteWhere,
    childrenOf: (key) =>
      index.childrenOf(key).map((child) => ({ key: child, bytes: index.get(child)?.bodyBytes ?? 0 })),
    stats: () => ({
      name: 'disk',
      entries: index.size(),
      bytes: index.bytes(),
      limitBytes: options.limitBytes,
      hits: lookup.hits(),
      misses: lookup.misses(),
      evictions: eviction.evictions(),
      errors: parts.health.reads.failures() + parts.health.writes.failures(),
    }),
    close,
    keep: keeping.keep,
    loaded: upkeep.loaded,
    isLoading: inheritance.isLoading,
    hottest: index.hottest,
    noteHottest,
    sweep: upkeep.sweep,
  };
}

function createParts(
  options: DiskTierOptions,
  deps: DiskTierDeps,
  stopped: AbortSignal,
  running: Set<Promise<void>>,
): DiskParts {
  const nowMs = deps.clock.nowMs;
  const paths = createDiskPaths(options.dir);
  const folder = createDiskFolder(paths);
  const index = createDiskIndex();
  const space = createDiskSpace(options.dir, options.minFreeBytes, deps.clock);
  const health = createDiskHealth(deps.log, deps.onState ?? (() => undefined));

  async function removeFile(item: DiskItem): Promise<boolean> {
    try {
      await folder.unlinkIf(paths.nameOf(item.key), () => index.get(item.key) === undefined);
      space.note(-item.cost);
      return true;
    } catch (error) {
      health.writes.failed(error);
      return false;
    }
  }

  function noteFailure(error: unknown): void {
    if (!stopped.aborted) health.writes.failed(error);
  }

  function background(work: Promise<unknown>): void {
    const settled = work.then(() => undefined, noteFailure).finally(() => running.delete(settled));
    running.add(settled);
  }

  const { limitBytes } = options;
  const isHot = deps.isHot ?? (() => false);
  const eviction = createDiskEviction({ index, space, limitBytes, removeFile, isHot, nowMs });
  const isStopped = (): boolean => stopped.aborted;
  const yields = deps.yieldTurn === undefined ? {} : { yieldTurn: deps.yieldTurn };
  const shared = { paths, folder, index, nowMs, heads: deps.heads ?? createHeadReader(paths) };
  const onSkipped = health.reads.failed;
  const inheritance = createDiskInheritance({ ...shared, isStopped, onSkipped, ...yields });
  return { paths, folder, index, space, eviction, inheritance, health, nowMs, removeFile, background };
}
