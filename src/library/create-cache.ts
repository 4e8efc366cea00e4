/**
 * The cache as a part of another Node service: values by key, results of functions, in memory and, where
 * the service says so, in a folder or its Redis. No failure of the cache ever reaches a caller.
 */
import { systemClock } from '../core/clock.ts';
import { compileGlob } from '../core/glob.ts';
import { valueKey } from '../core/keys.ts';
import type { RedisClient } from '../redis/redis-client.ts';
import { wrapFunction, type AsyncFunction, type CacheResultOptions } from './cached-function.ts';
import { createValueStore, tryEncode } from './value-store.ts';
import { createValueTiers, type LibraryLog } from './value-tiers.ts';

export interface CreateCacheOptions {
  /** Budget of this process's memory in MiB; 64 by default, 0 with `redis`, where others change what is kept. */
  readonly memoryMb?: number;
  readonly memoryEntries?: number;
  /** Folder to keep values in over restarts; none by default. */
  readonly dir?: string;
  /** Budget of the folder in MiB; 1000 by default. */
  readonly diskMb?: number;
  /** A connection made with ioredis. It stays the service's: closing the cache leaves it open. */
  readonly redis?: RedisClient;
  /** Longest that a lookup may take, milliseconds, before it counts as a miss; 250 by default. */
  readonly timeoutMs?: number;
  /** Told once when a tier fails and once when it works again; pino and console fit. */
  readonly log?: LibraryLog;
}

export interface ValueCacheStats {
  readonly hits: number;
  readonly misses: number;
  /** Calls that waited for another call's result. */
  readonly collapsed: number;
  /** Values that could not be kept: no clone, no canonical arguments, no tier that took them. */
  readonly unkept: number;
  readonly tiers: readonly { readonly name: string; readonly entries: number; readonly bytes: number }[];
}

export interface ValueCache {
  /** Undefined: not there, expired, or out of reach. */
  get(key: string): Promise<unknown>;
  /** `ttl` in seconds; none: until it is deleted or evicted. False: it could not be kept. */
  set(key: string, value: unknown, options?: { readonly ttl?: number }): Promise<boolean>;
  delete(key: string): Promise<boolean>;
  /** Every key that the pattern matches (`*`, `?`, backslash escapes); how many there were. */
  clear(pattern: string): Promise<number>;
  /** The function, asked once for each set of arguments within `ttl` seconds. */
  cacheResult<A extends readonly unknown[], R>(
    fn: AsyncFunction<A, R>,
    options: CacheResultOptions<A>,
  ): (...args: A) => Promise<R>;
  stats(): ValueCacheStats;
  /** Waits for what is being written. The cache misses everything afterwards. */
  close(): Promise<void>;
}

const MIB = 1024 * 1024;
const SILENT: LibraryLog = { info: () => undefined, warn: () => undefined };
const TIMEOUT_MS = 250;

function openTiers(options: CreateCacheOptions) {
  const { redis, dir = '', diskMb = 1000, timeoutMs = TIMEOUT_MS, memoryEntries = 100_000 } = options;
  const memoryMb = options.memoryMb ?? (redis === undefined ? 64 : 0);
  const [memoryBytes, diskBytes] = [Math.floor(memoryMb * MIB), Math.floor(diskMb * MIB)];
  const sizes = { memoryBytes, memoryEntries, dir, diskBytes };
  return createValueTiers({ ...sizes, redis, timeoutMs }, systemClock, options.log ?? SILENT);
}

export function createCache(options: CreateCacheOptions = {}): ValueCache {
  const { cache, close } = openTiers(options);
  const { timeoutMs = TIMEOUT_MS } = options;
  const store = createValueStore(cache, systemClock, timeoutMs);
  const { counts } = store;

  return {
    get: async (key) => (await store.look(key))?.value,
    async set(key, value, { ttl } = {}) {
      const encoded = tryEncode(value);
      if (encoded !== undefined && (ttl === undefined || ttl > 0)) return store.keep(key, encoded, ttl);
      counts.unkept += 1;
      return false;
    },
    delete: async (key) => cache.delete(valueKey(key), AbortSignal.timeout(timeoutMs)).catch(() => false),
    async clear(pattern) {
      const matches = compileGlob(pattern);
      const namespace = valueKey('');
      const accepts = (key: string): boolean =>
        key.startsWith(namespace) && matches(key.slice(namespace.length));
      return cache.deleteWhere(accepts, new AbortController().signal).catch(() => 0);
    },
    cacheResult: (fn, wrapping) => wrapFunction(fn, wrapping, store),
    stats: () => ({
      ...counts,
      tiers: cache.stats().tiers.map(({ name, entries, bytes }) => ({ name, entries, bytes })),
    }),
    async close() {
      await store.close();
      await close();
    },
  };
}
