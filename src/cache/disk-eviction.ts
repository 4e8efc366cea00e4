/**
 * Keeps the folder within its bytes and the filesystem above its free space: a write reserves its room,
 * and the least recently used files go, a bounded batch at a time.
 */
import type { DiskIndex } from './disk-index.ts';
import { isDiskItemExpired, type DiskItem } from './disk-item.ts';
import type { DiskSpace } from './disk-space.ts';

export interface DiskEvictionDeps {
  readonly index: DiskIndex;
  readonly space: DiskSpace;
  readonly limitBytes: number;
  /** The item is out of the index already. False: its file could not be removed. */
  readonly removeFile: (item: DiskItem) => Promise<boolean>;
  /** Whether a faster tier holds the key: what is read from there all day is never read here. */
  readonly isHot: (key: string) => boolean;
  readonly nowMs: () => number;
}

export interface DiskEviction {
  /** Room for one file, to be given back when it is in the index or given up. Undefined: there is none. */
  reserve(cost: number, signal: AbortSignal): Promise<(() => void) | undefined>;
  /** Whether the budget has room for it at all. */
  fits(cost: number): boolean;
  /** At least so many bytes, though the limits hold: the filesystem has no space all the same. False: none. */
  evict(bytes: number): Promise<boolean>;
  /** Evicts until the limits hold, or the signal says to stop. */
  shrink(signal: AbortSignal): Promise<void>;
  evictions(): number;
}

const BATCH_FILES = 32;
/** Hot keys that a batch passes over: bounds the work where everything is hot. */
const SPARED_MAX = 64;

export function createDiskEviction(deps: DiskEvictionDeps): DiskEviction {
  const { index, space, limitBytes } = deps;
  let reserved = 0;
  let evictions = 0;

  async function lackingBytes(): Promise<number> {
    const spare = await space.spareBytes();
    return Math.max(index.bytes() + reserved - limitBytes, reserved - spare);
  }

  /** Out of the index at once, so that no two batches pick the same. */
  function pick(bytes: number): DiskItem[] {
    const victims: DiskItem[] = [];
    let freed = 0;
    let spared = 0;
    while (freed < bytes && victims.length < BATCH_FILES) {
      const item = index.oldest();
      if (item === undefined) break;
      const isSpared = spared < SPARED_MAX && !isDiskItemExpired(item, deps.nowMs()) && deps.isHot(item.key);
      if (isSpared) {
        spared += 1;
        index.use(item);
        continue;
      }
      index.remove(item);
      freed += item.cost;
      victims.push(item);
    }
    return victims;
  }

  /** False: nothing is left to evict, or nothing can be (a filesystem that became read-only). */
  async function evictBatch(bytes: number): Promise<boolean> {
    const victims = pick(bytes);
    const removed = await Promise.all(victims.map(evictOne));
    return victims.length > 0 && removed.every(Boolean);
  }

  async function evictOne(item: DiskItem): Promise<boolean> {
    const isRemoved = await deps.removeFile(item);
    if (isRemoved) evictions += 1;
    // Its bytes are still taken, and still good.
    else index.putBack(item);
    return isRemoved;
  }

  async function makeRoom(signal: AbortSignal): Promise<boolean> {
    for (let lacking = await lackingBytes(); lacking > 0; lacking = await lackingBytes()) {
      if (signal.aborted || !(await evictBatch(lacking))) return false;
    }
    return true;
  }

  async function reserve(cost: number, signal: AbortSignal): Promise<(() => void) | undefined> {
    if (cost > limitBytes) return undefined;
    let held = cost;
    const release = (): void => {
      reserved -= held;
      held = 0;
    };
    reserved += cost;
    let hasRoom = false;
    try {
      hasRoom = await makeRoom(signal);
      return hasRoom ? release : undefined;
    } finally {
      if (!hasRoom) release();
    }
  }

  return {
    reserve,
    fits: (cost) => cost <= limitBytes,
    evict: evictBatch,
    shrink: async (signal) => {
      await makeRoom(signal);
    },
    evictions: () => evictions,
  };
}
