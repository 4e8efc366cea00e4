/**
 * What the disk tier holds, in memory: which keys, how large, in which order of use, made from which.
 * It touches no file; entries themselves stay in their files (a thumbnail each would fill the memory).
 */
import { createChildIndex } from './child-index.ts';
import type { DiskItem } from './disk-item.ts';
import { createRecencyList } from './recency-list.ts';

export interface DiskIndex {
  get(key: string): DiskItem | undefined;
  /** In place of what the key had; newest, unless it was inherited and not used yet. */
  add(item: DiskItem): void;
  /** False: the key has another item by now, or none. */
  remove(item: DiskItem): boolean;
  /** What was removed and is there all the same: the oldest, unless the key has another item by now. */
  putBack(item: DiskItem): void;
  use(item: DiskItem): void;
  /** Puts an unused item at the old end: called from the newest to the oldest, it sorts them. */
  sink(item: DiskItem): void;
  oldest(): DiskItem | undefined;
  childrenOf(key: string): readonly string[];
  /** Every key, live: may be read on while items come and go. */
  keys(): IterableIterator<string>;
  hottest(countMax: number): string[];
  bytes(): number;
  size(): number;
}

export function createDiskIndex(): DiskIndex {
  const items = new Map<string, DiskItem>();
  const order = createRecencyList<DiskItem>();
  const children = createChildIndex();
  let bytes = 0;

  function remove(item: DiskItem): boolean {
    if (items.get(item.key) !== item) return false;
    items.delete(item.key);
    order.remove(item);
    bytes -= item.cost;
    if (item.parent !== undefined) children.remove(item.parent, item.key);
    return true;
  }

  function add(item: DiskItem): void {
    const before = items.get(item.key);
    if (before !== undefined) remove(before);
    if (item.inherited && !item.used) order.addOldest(item);
    else order.addNewest(item);
    count(item);
  }

  function putBack(item: DiskItem): void {
    if (items.has(item.key)) return;
    order.addOldest(item);
    count(item);
  }

  function count(item: DiskItem): void {
    items.set(item.key, item);
    bytes += item.cost;
    if (item.parent !== undefined) children.add(item.parent, item.key);
  }

  function use(item: DiskItem): void {
    if (items.get(item.key) !== item) return;
    item.used = true;
    order.remove(item);
    order.addNewest(item);
  }

  function sink(item: DiskItem): void {
    if (items.get(item.key) !== item || item.used) return;
    order.remove(item);
    order.addOldest(item);
  }

  function hottest(countMax: number): string[] {
    const keys: string[] = [];
    for (let item = order.newest(); item !== undefined && keys.length < countMax; item = item.older) {
      keys.push(item.key);
    }
    return keys;
  }

  return {
    get: (key) => items.get(key),
    add,
    remove,
    putBack,
    use,
    sink,
    oldest: order.oldest,
    childrenOf: children.of,
    keys: () => items.keys(),
    hottest,
    bytes: () => bytes,
    size: () => items.size,
  };
}
