/** Changes of the disk tier: put, delete, and everything at once. The index changes with the file, under its lock. */
import { isExpired, type Entry } from '../core/entry.ts';
import { encodeHead } from './disk-file.ts';
import { createDiskItem, diskCost, isDiskItemExpired, type DiskItem } from './disk-item.ts';
import type { DiskParts } from './disk-parts.ts';
import { purgeDisk } from './disk-purge.ts';
import { errorCode } from './disk-read.ts';

export interface DiskChanges {
  put(entry: Entry, body: Uint8Array, signal: AbortSignal): Promise<boolean>;
  delete(key: string, signal: AbortSignal): Promise<boolean>;
  purge(accepts: (item: DiskItem) => boolean, signal: AbortSignal): Promise<number>;
}

export function createDiskChanges(parts: DiskParts): DiskChanges {
  const { paths, folder, index, space, eviction, inheritance, writes, nowMs } = parts;

  async function put(entry: Entry, body: Uint8Array, signal: AbortSignal): Promise<boolean> {
    signal.throwIfAborted();
    const head = encodeHead(entry);
    // A body of another length than its entry says would be a torn file.
    if (head === undefined || entry.bytes !== body.byteLength || isExpired(entry, nowMs())) return false;
    const release = await eviction.reserve(diskCost(head.byteLength, body.byteLength), signal);
    if (release === undefined) return false;
    try {
      return await folder.exclusive(paths.nameOf(entry.key), signal, async () =>
        folder.gated(signal, async () => write(entry, head, body, release)),
      );
    } finally {
      release();
    }
  }

  async function write(
    entry: Entry,
    head: Uint8Array,
    body: Uint8Array,
    release: () => void,
  ): Promise<boolean> {
    const uninterrupted = new AbortController().signal;
    const writeFile = async (): Promise<void> =>
      writes.watch(uninterrupted, async () => folder.write(paths.nameOf(entry.key), [head, body]));
    try {
      await twice(writeFile);
    } catch (error) {
      if (!isFull(error)) throw error;
      space.forget();
      return false;
    }
    const facts = { inherited: false, verified: true, used: true, touchedMs: nowMs() };
    const item = createDiskItem(entry, { headBytes: head.byteLength, ...facts });
    space.note(item.cost - (index.get(entry.key)?.cost ?? 0));
    index.add(item);
    release();
    dropChildren(entry.key, (child) => child.parentVersion !== entry.version);
    return true;
  }

  function dropChildren(key: string, isGone: (child: DiskItem) => boolean): void {
    for (const childKey of index.childrenOf(key)) {
      const child = index.get(childKey);
      if (child !== undefined && isGone(child) && index.remove(child)) {
        parts.background(parts.removeFile(child));
      }
    }
  }

  async function remove(key: string, signal: AbortSignal): Promise<boolean> {
    const name = paths.nameOf(key);
    inheritance.disown(key);
    dropChildren(key, () => true);
    return folder.exclusive(name, signal, async () => {
      const item = index.get(key);
      if (item === undefined && !inheritance.mayHaveMore()) return false;
      // The file first: what cannot be removed is still there, and may be tried again.
      const existed = await writes.watch(signal, async () => folder.unlink(name));
      if (item === undefined) return existed;
      if (index.remove(item)) space.note(-item.cost);
      return !isDiskItemExpired(item, nowMs());
    });
  }

  return {
    put,
    delete: remove,
    purge: async (accepts, signal) => purgeDisk(index, accepts, parts.removeFile, signal),
  };
}

/** What fails once, as where handles or memory were short, would be in memory alone until it is put again. */
async function twice(work: () => Promise<void>): Promise<void> {
  await work().catch(async (error: unknown) => {
    if (isFull(error)) throw error;
    await work();
  });
}

/** No space is no failure of the tier: there is no room, as when the budget is too small. */
function isFull(error: unknown): boolean {
  const code = error instanceof Error ? errorCode(error.cause) : '';
  return code === 'ENOSPC' || code === 'EDQUOT';
}
