/** Changes of the disk tier: put, delete, and everything at once. The index changes with the file, under its lock. */
import type { Entry } from '../core/entry.ts';
import { isDiskItemExpired, type DiskItem } from './disk-item.ts';
import type { DiskParts } from './disk-parts.ts';
import { purgeDisk } from './disk-purge.ts';
import { createDiskPut } from './disk-put.ts';

export interface DiskChanges {
  put(entry: Entry, body: Uint8Array, signal: AbortSignal): Promise<boolean>;
  delete(key: string, signal: AbortSignal): Promise<boolean>;
  purge(accepts: (item: DiskItem) => boolean, signal: AbortSignal): Promise<number>;
}

export function createDiskChanges(parts: DiskParts): DiskChanges {
  const { paths, folder, index, space, inheritance, health, nowMs } = parts;
  const put = createDiskPut(parts, (entry) => {
    dropChildren(entry.key, (child) => child.parentVersion !== entry.version);
  });

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
      const existed = await health.writes.watch(signal, async () => folder.unlink(name));
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
