/**
 * The memory tier, for as long as it can be trusted: while nobody would say that another program changed
 * a key, and Redis could say what it has, it gives nothing and takes nothing.
 */
import type { MemoryTier } from '../cache/memory-tier.ts';

export function createTrustedMemory(memory: MemoryTier, isTrusted: () => boolean): MemoryTier {
  return {
    ...memory,
    get: (key) => (isTrusted() ? memory.get(key) : undefined),
    peek: (key) => (isTrusted() ? memory.peek(key) : undefined),
    childrenOf: (key) => (isTrusted() ? memory.childrenOf(key) : []),
    put(entry, body) {
      if (isTrusted()) return memory.put(entry, body);
      memory.delete(entry.key);
      return undefined;
    },
  };
}
