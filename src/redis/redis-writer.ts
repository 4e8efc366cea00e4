/** Writes keys of the cache into Redis and removes them, each with what is noted beside it. */
import { writeEntryText } from '../cache/entry-text.ts';
import type { Clock } from '../core/clock.ts';
import type { Entry } from '../core/entry.ts';
import { writeJson } from './own-value.ts';
import { asBuffer, isOutOfMemory, type RedisClient } from './redis-client.ts';
import { isImageKey, type RedisKeys } from './redis-keys.ts';
import type { RedisNotes } from './redis-notes.ts';

export interface RedisWriterOptions {
  readonly keys: RedisKeys;
  readonly format: 'hash' | 'json';
  /** Of images, renderings and partials that say none themselves; 0: none. */
  readonly defaultTtlMs: number;
  readonly maxValueBytes: number;
  /** Notes what is written and deleted here, so that no instance announces it as another program's doing. */
  readonly announces: boolean;
}

export interface RedisWriterDeps {
  readonly client: RedisClient;
  readonly clock: Clock;
  /** Writes are refused for want of memory, or are not any more. Once per change. */
  readonly onFull?: (isFull: boolean) => void;
}

export interface RedisWriter {
  put(entry: Entry, body: Uint8Array, signal: AbortSignal): Promise<boolean>;
  delete(key: string, signal: AbortSignal): Promise<boolean>;
  /** The last write was refused for want of memory. */
  isFull(): boolean;
}

export function createRedisWriter(
  options: RedisWriterOptions,
  deps: RedisWriterDeps,
  notes: RedisNotes,
): RedisWriter {
  const { keys } = options;
  const { client, clock } = deps;
  let isFull = false;
  const setFull = (isNow: boolean): void => {
    if (isNow === isFull) return;
    isFull = isNow;
    deps.onFull?.(isNow);
  };

  /** Milliseconds; 0: for ever. */
  function ttlOf(entry: Entry): number {
    if (entry.expiresAtMs !== 0) return Math.max(1, entry.expiresAtMs - clock.nowMs());
    return entry.key.startsWith('cache:') ? 0 : options.defaultTtlMs;
  }

  /** Replaces whatever type was there, in one step: no reader sees half of it. */
  async function writeHash(entry: Entry, body: Uint8Array, ttlMs: number): Promise<void> {
    const redisKey = keys.toRedis(entry.key);
    const text = writeEntryText(entry);
    const chain = client.multi().unlink(redisKey);
    chain.hset(redisKey, 'version', entry.version, 'entry', text, 'bytes', asBuffer(body));
    if (ttlMs > 0) chain.pexpire(redisKey, ttlMs);
    for (const [error] of (await chain.exec()) ?? []) if (error !== null) throw error;
  }

  async function writeText(entry: Entry, body: Uint8Array, ttlMs: number): Promise<void> {
    const redisKey = keys.toRedis(entry.key);
    const text = writeJson(entry, body);
    await (ttlMs > 0 ? client.set(redisKey, text, 'PX', ttlMs) : client.set(redisKey, text));
  }

  return {
    async put(entry, body, signal) {
      signal.throwIfAborted();
      if (body.byteLength > options.maxValueBytes) return false;
      const ttlMs = ttlOf(entry);
      const write = isImageKey(entry.key) && options.format === 'json' ? writeText : writeHash;
      try {
        // The notes first on the wire: who hears of the change finds them.
        await Promise.all([
          notes.version(entry, ttlMs),
          notes.child(entry, ttlMs),
          write(entry, body, ttlMs),
        ]);
        setFull(false);
        return true;
      } catch (error) {
        // maxmemory is reached and nothing may be evicted: Redis is full, not broken.
        if (!isOutOfMemory(error)) throw error;
        setFull(true);
        return false;
      }
    },
    async delete(key, signal) {
      signal.throwIfAborted();
      const [, removed, children] = await Promise.all([
        // A full Redis takes no note, but deletes.
        notes.gone(key).catch(unlessFull),
        client.unlink(keys.toRedis(key)),
        notes.childrenOf(key),
      ]);
      // One by one: in a cluster they are on several nodes.
      await Promise.all(children.map(async (child) => client.unlink(child)));
      return removed > 0;
    },
    isFull: () => isFull,
  };
}

function unlessFull(error: unknown): void {
  if (!isOutOfMemory(error)) throw error;
}
