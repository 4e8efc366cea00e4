/** Removes every item that a test accepts: from the index in slices, then their files in batches. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { AppError } from '../errors.ts';
import type { DiskIndex } from './disk-index.ts';
import type { DiskItem } from './disk-item.ts';

/** About a millisecond: hits wait for no longer. */
const SLICE_KEYS = 1024;
const BATCH_FILES = 32;

/**
 * The number removed. Stops between two steps when the signal says so. Throws when a file stayed: it would
 * come back with the next run.
 */
export async function purgeDisk(
  index: DiskIndex,
  accepts: (item: DiskItem) => boolean,
  removeFile: (item: DiskItem) => Promise<boolean>,
  signal: AbortSignal,
): Promise<number> {
  const gone: DiskItem[] = [];
  let seen = 0;
  // First all of them from the index: from then on nobody is served one.
  for (const key of index.keys()) {
    seen += 1;
    if (seen % SLICE_KEYS === 0) {
      await nextTurn();
      if (signal.aborted) break;
    }
    const item = index.get(key);
    if (item !== undefined && accepts(item) && index.remove(item)) gone.push(item);
  }
  let failures = 0;
  for (let start = 0; start < gone.length; start += BATCH_FILES) {
    const removed = await Promise.all(gone.slice(start, start + BATCH_FILES).map(removeFile));
    failures += removed.filter((isRemoved) => !isRemoved).length;
  }
  signal.throwIfAborted();
  if (failures > 0) throw new AppError('storage_unavailable', `${failures} files could not be removed.`);
  return gone.length;
}
