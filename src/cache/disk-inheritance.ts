/**
 * Takes over what an earlier run left: every whole file into the index, then in the order of their last
 * use. While it runs, the index does not know everything: what must not come back is remembered here.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { isExpired, type Entry } from '../core/entry.ts';
import type { DiskFolder } from './disk-folder.ts';
import { inspectFile, type HeadReader, type InheritedFile } from './disk-heads.ts';
import type { DiskIndex } from './disk-index.ts';
import { createDiskItem, type DiskItem } from './disk-item.ts';
import { loadDiskFolder } from './disk-loader.ts';
import type { DiskPaths } from './disk-paths.ts';

export interface DiskInheritanceDeps {
  readonly paths: DiskPaths;
  readonly heads: HeadReader;
  readonly folder: DiskFolder;
  readonly index: DiskIndex;
  readonly nowMs: () => number;
  readonly isStopped: () => boolean;
  /** A file or a part of the folder is there, but could not be read. */
  readonly onSkipped: (error: unknown) => void;
  readonly yieldTurn?: () => Promise<unknown>;
}

export interface DiskInheritance {
  /** Throws where the folder cannot be read at all; it is then still loading, and may be run again. */
  run(): Promise<void>;
  isLoading(): boolean;
  /** There may be files that the index does not know: it is loading, or could not read some. */
  mayHaveMore(): boolean;
  /** The key was deleted: renderings of it that are still to be found go too. */
  disown(parent: string): void;
  isOrphan(entry: Pick<Entry, 'parent'>): boolean;
}

/** Order within ten seconds does not matter, and buckets of that sort in far less than n log n. */
const BUCKET_MS = 10_000;
const SLICE_ITEMS = 5000;

export function createDiskInheritance(deps: DiskInheritanceDeps): DiskInheritance {
  const { paths, folder, index } = deps;
  const yieldTurn = deps.yieldTurn ?? nextTurn;
  const disowned = new Set<string>();
  let buckets = new Map<number, DiskItem[]>();
  let isLoading = true;
  let hasSkipped = false;

  const isOrphan = (entry: Pick<Entry, 'parent'>): boolean =>
    entry.parent !== undefined && disowned.has(entry.parent);

  function onFile(file: InheritedFile): void {
    const { entry, headBytes, mtimeMs } = file;
    if (index.get(entry.key) !== undefined) return;
    if (isExpired(entry, deps.nowMs()) || isOrphan(entry)) {
      const isUnwanted = (): boolean => index.get(entry.key) === undefined;
      void folder.unlinkIf(paths.nameOf(entry.key), isUnwanted).catch(() => undefined);
      return;
    }
    const facts = { inherited: true, verified: false, used: false, touchedMs: mtimeMs };
    const item = createDiskItem(entry, { headBytes, ...facts });
    index.add(item);
    const bucket = Math.floor(mtimeMs / BUCKET_MS);
    const others = buckets.get(bucket);
    if (others === undefined) buckets.set(bucket, [item]);
    else others.push(item);
  }

  async function onTorn(name: string): Promise<void> {
    // Looked at again when nobody writes it: a whole file may have taken its place.
    const isUnwanted = async (): Promise<boolean> => (await inspectFile(paths, name)) === 'torn';
    await folder.unlinkIf(name, isUnwanted).catch(() => undefined);
  }

  /** Found in the order of their names; from the newest to the oldest each sinks below the one before. */
  async function sort(): Promise<void> {
    const times = Float64Array.from(buckets.keys()).toSorted();
    let sunk = 0;
    for (const time of times.toReversed()) {
      for (const item of buckets.get(time) ?? []) {
        index.sink(item);
        sunk += 1;
        if (sunk % SLICE_ITEMS === 0) await yieldTurn();
      }
    }
  }

  function onSkipped(error: unknown): void {
    hasSkipped = true;
    deps.onSkipped(error);
  }

  async function run(): Promise<void> {
    buckets = new Map();
    try {
      await loadDiskFolder({ ...deps, onFile, onTorn, onSkipped });
    } finally {
      await deps.heads.close();
    }
    await sort();
    isLoading = false;
    buckets = new Map();
    disowned.clear();
  }

  return {
    run,
    isLoading: () => isLoading,
    mayHaveMore: () => isLoading || hasSkipped,
    disown: (parent) => {
      if (isLoading) disowned.add(parent);
    },
    isOrphan,
  };
}
