/**
 * Redis as a tier: a reader, a writer, and clearing by a test. What to do when Redis fails is decided by
 * whoever guards this tier; it throws, and counts nothing of that.
 */
import type { Tier, TierStats } from '../cache/tier.ts';
import { clearKeys } from './clear-keys.ts';
import { createKeyspaceStats } from './keyspace-stats.ts';
import { isImageKey } from './redis-keys.ts';
import { createRedisNotes } from './redis-notes.ts';
import { createRedisReader, type RedisReaderDeps } from './redis-reader.ts';
import { createRedisWriter, type RedisWriterDeps, type RedisWriterOptions } from './redis-writer.ts';

export interface RedisTierStats extends TierStats {
  readonly foreignReads: number;
  readonly unreadable: number;
  readonly oversized: number;
}

export interface RedisTier extends Tier {
  /** Entries, bytes and evictions are those of all of Redis, up to a few seconds old. */
  stats(): RedisTierStats;
  refreshStats(): Promise<void>;
  /** The last write was refused for want of memory. */
  isFull(): boolean;
}

export function createRedisTier(
  options: RedisWriterOptions,
  deps: RedisReaderDeps & RedisWriterDeps,
): RedisTier {
  const { keys } = options;
  const { client } = deps;
  const keyspace = createKeyspaceStats(client, deps.clock);
  const reader = createRedisReader(keys, options.maxValueBytes, deps);
  const notes = createRedisNotes(options, client, deps.clock);
  const writer = createRedisWriter(options, deps, notes);

  /** An image that is cleared out of the cache is not deleted: subscribers are told nothing. */
  async function noteClearing(redisKeys: readonly string[]): Promise<void> {
    const hasImages = redisKeys.some((redisKey) => isImageKey(keys.toCache(redisKey) ?? ''));
    if (hasImages) await notes.clearing();
  }

  return {
    name: 'redis',
    has: () => false,
    get: reader.get,
    put: writer.put,
    delete: writer.delete,
    async deleteWhere(test, signal) {
      const accepts = (redisKey: string): boolean => {
        const key = keys.toCache(redisKey);
        return key !== undefined && test(key);
      };
      const prefixes = keys.trackedPrefixes;
      return clearKeys({ client, prefixes, accepts, beforeRemoval: noteClearing }, signal);
    },
    stats: () => ({ name: 'redis', errors: 0, ...keyspace.read(), ...reader.counts }),
    refreshStats: keyspace.refresh,
    isFull: writer.isFull,
    close: async () => undefined,
  };
}
