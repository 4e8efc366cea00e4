/** Reads of the disk tier: index, file, and what a read teaches about both. */
import { isExpired, type Stored } from '../core/entry.ts';
import { createDiskItem, isDiskItemExpired, type DiskItem } from './disk-item.ts';
import type { DiskParts } from './disk-parts.ts';
import { readStored, type ReadOutcome } from './disk-read.ts';

export interface DiskLookup {
  get(key: string, signal: AbortSignal): Promise<Stored | undefined>;
  hits(): number;
  misses(): number;
}

type FoundOutcome = Extract<ReadOutcome, { kind: 'found' }>;

/** A use is noted in the file's mtime once in this time: every read would be a write otherwise. */
const TOUCH_EVERY_MS = 3_600_000;

export function createDiskLookup(parts: DiskParts, wholeBytesMax: number): DiskLookup {
  const { paths, folder, index, inheritance, health, nowMs } = parts;
  let hits = 0;
  let misses = 0;

  async function get(key: string, signal: AbortSignal): Promise<Stored | undefined> {
    signal.throwIfAborted();
    const found = await lookUp(key, signal);
    if (found === undefined) misses += 1;
    else hits += 1;
    return found;
  }

  async function lookUp(key: string, signal: AbortSignal): Promise<Stored | undefined> {
    const item = index.get(key);
    // While the folder is still being read the index does not know everything: ask the filesystem.
    if (item === undefined && !inheritance.mayHaveMore()) return undefined;
    if (item !== undefined && isDiskItemExpired(item, nowMs())) return lose(key, item);
    const path = paths.fileOf(paths.nameOf(key));
    const outcome = await health.reads.watch(signal, async () =>
      folder.gated(signal, async () => readStored(path, key, item, wholeBytesMax, signal)),
    );
    if (outcome.kind === 'absent') {
      if (item !== undefined && index.remove(item)) parts.space.note(-item.cost);
      return undefined;
    }
    if (outcome.kind === 'torn') return lose(key, item);
    const { entry } = outcome.stored;
    const isOrphan = item === undefined && inheritance.isOrphan(entry);
    if (isOrphan || isExpired(entry, nowMs())) return lose(key, item);
    learn(item, outcome);
    return outcome.stored;
  }

  /** Removes what may not be served, unless something else took its place meanwhile. */
  function lose(key: string, item: DiskItem | undefined): undefined {
    if (item !== undefined) {
      if (index.remove(item)) parts.background(parts.removeFile(item));
    } else if (index.get(key) === undefined) {
      parts.background(folder.unlinkIf(paths.nameOf(key), () => index.get(key) === undefined));
    }
  }

  function learn(item: DiskItem | undefined, { stored, headBytes }: FoundOutcome): void {
    const { entry } = stored;
    const current = index.get(entry.key);
    // Written, replaced or removed while we read: whoever did that knows better.
    if (current !== item) return;
    if (item === undefined || item.version !== entry.version || item.headBytes !== headBytes) {
      const facts = { inherited: true, verified: true, used: true, touchedMs: nowMs() };
      index.add(createDiskItem(entry, { headBytes, ...facts }));
      return;
    }
    item.verified = true;
    index.use(item);
    if (nowMs() - item.touchedMs < TOUCH_EVERY_MS) return;
    item.touchedMs = nowMs();
    parts.background(folder.touch(paths.nameOf(entry.key), item.touchedMs));
  }

  return { get, hits: () => hits, misses: () => misses };
}
