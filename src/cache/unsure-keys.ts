/**
 * Keys that a tier may still have an old value of, because a write or a deletion there failed: they are
 * not read from it until one went through. Bounded: the oldest is forgotten first.
 */

export interface UnsureKeys {
  add(key: string): void;
  has(key: string): boolean;
  settle(key: string): void;
  clear(): void;
  size(): number;
}

const KEYS_MAX = 100_000;

export function createUnsureKeys(): UnsureKeys {
  const keys = new Set<string>();

  return {
    add: (key) => {
      keys.delete(key);
      keys.add(key);
      const [oldest] = keys;
      if (keys.size > KEYS_MAX && oldest !== undefined) keys.delete(oldest);
    },
    has: (key) => keys.has(key),
    settle: (key) => void keys.delete(key),
    clear: () => keys.clear(),
    size: () => keys.size,
  };
}
