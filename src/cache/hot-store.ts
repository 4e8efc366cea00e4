/**
 * Hot entries under a byte budget: adds, drops and counts, and evicts by its policy. Whether an entry
 * may still be used (time) and what a lookup counts are the memory tier's business.
 */
import type { Entry } from '../core/entry.ts';
import { createChildIndex } from './child-index.ts';
import type { EvictionPolicy } from './eviction-policy.ts';
import type { Hot } from './lookup.ts';

/** What a policy holds. The cost is kept: a body that was transferred away says 0 when it is dropped. */
export interface HotSlot {
  readonly hot: Hot;
  readonly cost: number;
}

export interface HotStore {
  add(entry: Entry, body: Uint8Array): Hot | undefined;
  drop(key: string): boolean;
  dropChildren(key: string, isGone: (child: Entry) => boolean): void;
  childrenOf(key: string): readonly string[];
  clear(): void;
  bytes(): number;
  evictions(): number;
}

/** Charged for each entry besides its body, so that a million tiny values do not escape the budget. */
export const ENTRY_BYTES = 512;
/** Behind a body, in its buffer. */
const SLACK_BYTES_MAX = 2;
/** A body over this share of the budget would push out too much else. */
const LARGEST_SHARE = 1 / 4;

export function createHotStore(
  limitBytes: number,
  limitEntries: number,
  policy: EvictionPolicy<HotSlot>,
  onEvicted: (key: string) => void = () => undefined,
): HotStore {
  const children = createChildIndex();
  let bytes = 0;
  let evictions = 0;

  function drop(key: string): boolean {
    const slot = policy.remove(key);
    if (slot === undefined) return false;
    bytes -= slot.cost;
    const { parent } = slot.hot.entry;
    if (parent !== undefined) children.remove(parent, key);
    return true;
  }

  function makeRoom(cost: number): void {
    while (bytes + cost > limitBytes || policy.size() >= limitEntries) {
      const key = policy.victim();
      if (key === undefined) return;
      drop(key);
      evictions += 1;
      onEvicted(key);
    }
  }

  function add(entry: Entry, body: Uint8Array): Hot | undefined {
    drop(entry.key);
    if (body.byteLength > limitBytes * LARGEST_SHARE) return undefined;
    const hot: Hot = { entry, body: ownBytes(body), heads: undefined };
    const cost = body.byteLength + ENTRY_BYTES;
    makeRoom(cost);
    policy.set(entry.key, { hot, cost });
    bytes += cost;
    if (entry.parent !== undefined) children.add(entry.parent, entry.key);
    return hot;
  }

  return {
    add,
    drop,
    dropChildren: (key, isGone) => {
      for (const child of children.of(key)) {
        const slot = policy.peek(child);
        if (slot !== undefined && isGone(slot.hot.entry)) drop(child);
      }
    },
    childrenOf: children.of,
    clear: () => {
      policy.clear();
      children.clear();
      bytes = 0;
    },
    bytes: () => bytes,
    evictions: () => evictions,
  };
}

/** A view of a larger buffer would keep the whole of it alive, uncounted; but for a line end, as after a reply of Redis. */
function ownBytes(body: Uint8Array): Uint8Array {
  return body.buffer.byteLength - body.byteLength <= SLACK_BYTES_MAX ? body : new Uint8Array(body);
}
