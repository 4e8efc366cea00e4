/**
 * The seam of the order in which a memory tier lets go. A policy owns keys, values and their order; it
 * knows nothing of bytes, budgets or time.
 */

export interface EvictionPolicy<V> {
  /** Counts as a use. */
  get(key: string): V | undefined;
  /** Does not. */
  peek(key: string): V | undefined;
  /** Adds a key that is not there, or replaces its value. The caller keeps `size()` below the capacity. */
  set(key: string, value: V): void;
  /** Afterwards the policy holds no reference to the value, not even in a recycled slot. */
  remove(key: string): V | undefined;
  /** The key to let go next; it stays until `remove`. Undefined when empty. */
  victim(): string | undefined;
  size(): number;
  /** Every key, the last to go first: a copy, so that the caller may change the policy meanwhile. */
  keys(): string[];
  /** The same keys in no order, one at a time; the policy may change meanwhile, new keys come last. */
  walk(): IterableIterator<string>;
  clear(): void;
}
