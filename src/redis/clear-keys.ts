/**
 * Removes keys by a test, walking them with SCAN: never KEYS, never more than a batch at once, so that
 * neither Redis nor this process stands still at a million keys.
 */
import type { Redis } from 'ioredis';
import { isCluster, masters, type RedisClient } from './redis-client.ts';

const SCAN_COUNT = 1000;

export interface ClearOptions {
  readonly client: RedisClient;
  /** What the keys begin with. */
  readonly prefixes: readonly string[];
  readonly accepts: (redisKey: string) => boolean;
  /** Called with each batch before it is removed. */
  readonly beforeRemoval: (redisKeys: readonly string[]) => Promise<void>;
}

/** The number of keys removed. */
export async function clearKeys(options: ClearOptions, signal: AbortSignal): Promise<number> {
  let removed = 0;
  for (const node of masters(options.client)) {
    for (const prefix of options.prefixes) {
      removed += await clearNode(node, prefix, options, signal);
    }
  }
  return removed;
}

async function clearNode(
  node: Redis,
  prefix: string,
  options: ClearOptions,
  signal: AbortSignal,
): Promise<number> {
  const pattern = `${prefix.replace(/[\\*?[\]^-]/g, String.raw`\$&`)}*`;
  let removed = 0;
  let cursor = '0';
  do {
    signal.throwIfAborted();
    const [next, keys] = await node.scan(cursor, 'MATCH', pattern, 'COUNT', SCAN_COUNT);
    cursor = next;
    const doomed = keys.filter(options.accepts);
    if (doomed.length > 0) {
      await options.beforeRemoval(doomed);
      removed += await unlinkAll(node, doomed, isCluster(options.client));
    }
  } while (cursor !== '0');
  return removed;
}

/** A cluster takes several keys in one command only if they share a slot. */
async function unlinkAll(node: Redis, keys: readonly string[], isOneByOne: boolean): Promise<number> {
  if (!isOneByOne) return node.unlink(...keys);
  const counts = await Promise.all(keys.map(async (key) => node.unlink(key)));
  return counts.reduce((sum, count) => sum + count, 0);
}
