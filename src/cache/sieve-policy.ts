/**
 * SIEVE (NSDI '24, https://cachemon.github.io/SIEVE-website/): a queue that a hit does not reorder, and
 * a hand that walks from old to new and lets go of what was not used since it last came by. Better than
 * LRU on skewed reads at small budgets; not scan-resistant.
 */
import type { EvictionPolicy } from './eviction-policy.ts';
import { createRecencyList, type Linked } from './recency-list.ts';

interface Node<V> extends Linked<Node<V>> {
  readonly key: string;
  value: V;
  used: boolean;
}

export function createSievePolicy<V>(): EvictionPolicy<V> {
  const nodes = new Map<string, Node<V>>();
  let queue = createRecencyList<Node<V>>();
  let hand: Node<V> | undefined;

  function set(key: string, value: V): void {
    const known = nodes.get(key);
    if (known !== undefined) {
      known.value = value;
      known.used = true;
      return;
    }
    const node: Node<V> = { key, value, used: false, newer: undefined, older: undefined };
    nodes.set(key, node);
    queue.addNewest(node);
  }

  function victim(): string | undefined {
    let node = hand ?? queue.oldest();
    // Ends: each step clears a mark, so the second round at the latest finds one that is clear.
    while (node?.used === true) {
      node.used = false;
      node = node.newer ?? queue.oldest();
    }
    hand = node;
    return node?.key;
  }

  function remove(key: string): V | undefined {
    const node = nodes.get(key);
    if (node === undefined) return undefined;
    if (hand === node) hand = node.newer;
    nodes.delete(key);
    queue.remove(node);
    return node.value;
  }

  function keys(): string[] {
    const all: string[] = [];
    for (let node = queue.newest(); node !== undefined; node = node.older) all.push(node.key);
    return all;
  }

  return {
    get: (key) => {
      const node = nodes.get(key);
      if (node === undefined) return undefined;
      node.used = true;
      return node.value;
    },
    peek: (key) => nodes.get(key)?.value,
    set,
    remove,
    victim,
    size: () => nodes.size,
    keys,
    walk: () => nodes.keys(),
    clear: () => {
      nodes.clear();
      queue = createRecencyList();
      hand = undefined;
    },
  };
}
