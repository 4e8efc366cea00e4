/**
 * What is noted in Redis beside the values: which renderings belong to an image, which version of it was
 * announced last, and whether images are being cleared out. Shared by all instances.
 */
import type { Clock } from '../core/clock.ts';
import type { Entry } from '../core/entry.ts';
import type { RedisClient } from './redis-client.ts';
import { GONE, idOfImageKey, isImageKey, type RedisKeys } from './redis-keys.ts';

export interface RedisNotes {
  /** Of an image that is about to be written here, so that nobody announces it as another program's. */
  version(entry: Entry, ttlMs: number): Promise<void>;
  /** Of an image that is about to be deleted here. */
  gone(key: string): Promise<void>;
  /** A rendering, under the image that it was made from. */
  child(entry: Entry, ttlMs: number): Promise<void>;
  /** Redis keys of the renderings, with that of the note itself; empty where there are none. */
  childrenOf(key: string): Promise<readonly string[]>;
  /** Images are about to be cleared out of the cache, which is not news to anyone. */
  clearing(): Promise<void>;
}

/** Longer than the slowest instance needs to hear of a deletion. */
export const GONE_TTL_MS = 60_000;
/** The note of what was announced outlives what it is about, so that a late EXPIRE is not taken for news. */
const VERSION_TTL_MS_MIN = 86_400_000;
/** Longer than the gap between two batches of a clearing. */
const CLEARING_TTL_MS = 10_000;

export function versionNoteTtlMs(imageTtlMs: number): number {
  return Math.max(VERSION_TTL_MS_MIN, 2 * imageTtlMs);
}

export function createRedisNotes(
  options: { readonly keys: RedisKeys; readonly defaultTtlMs: number; readonly announces: boolean },
  client: RedisClient,
  clock: Clock,
): RedisNotes {
  const { keys, announces, defaultTtlMs } = options;
  return {
    async version(entry, ttlMs) {
      if (!announces || !isImageKey(entry.key)) return;
      const note = keys.announced(idOfImageKey(entry.key));
      await client.set(note, entry.version, 'PX', versionNoteTtlMs(ttlMs));
    },
    async gone(key) {
      if (!announces || !isImageKey(key)) return;
      await client.set(keys.announced(idOfImageKey(key)), GONE, 'PX', GONE_TTL_MS);
    },
    async child(entry, ttlMs) {
      if (entry.parent === undefined) return;
      const index = keys.children(entry.parent);
      const nowMs = clock.nowMs();
      await Promise.all([
        client.zadd(index, ttlMs === 0 ? '+inf' : nowMs + ttlMs, keys.toRedis(entry.key)),
        // Those that expired meanwhile, so that the index is never larger than what it names.
        client.zremrangebyscore(index, '-inf', nowMs),
        ttlMs === 0 ? client.persist(index) : client.pexpire(index, Math.max(ttlMs, defaultTtlMs)),
      ]);
    },
    async childrenOf(key) {
      const index = keys.children(key);
      const children = await client.zrange(index, '0', '-1');
      return children.length === 0 ? [] : [...children, index];
    },
    async clearing() {
      if (announces) await client.set(keys.clearing, '1', 'PX', CLEARING_TTL_MS);
    },
  };
}
