/** Builds the tiers that a cache within another service has: memory, a folder, a Redis that the service connected. */
import { createDiskTier } from '../cache/disk-tier.ts';
import { createGuardedTier } from '../cache/guarded-tier.ts';
import { createMemoryTier } from '../cache/memory-tier.ts';
import type { Tier } from '../cache/tier.ts';
import { createTieredCache, type TieredCache } from '../cache/tiered-cache.ts';
import { steadyClock, type Clock } from '../core/clock.ts';
import { isObject } from '../core/json.ts';
import { AppError } from '../errors.ts';
import type { Log } from '../observe/log.ts';
import type { RedisClient } from '../redis/redis-client.ts';
import { createRedisKeys } from '../redis/redis-keys.ts';
import { createRedisTier } from '../redis/redis-tier.ts';

export interface ValueTiersOptions {
  readonly memoryBytes: number;
  readonly memoryEntries: number;
  /** '' for none. */
  readonly dir: string;
  readonly diskBytes: number;
  readonly redis: RedisClient | undefined;
  readonly timeoutMs: number;
}

/** What a tier says once when it fails, and once when it works again. */
export interface LibraryLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface ValueTiers {
  readonly cache: TieredCache;
  close(): Promise<void>;
}

const MIB = 1024 * 1024;
const MIN_FREE_BYTES = 256 * MIB;
const VALUE_BYTES_MAX = 64 * MIB;
const BREAKER = { failuresToOpen: 3, pauseMs: 250, pauseMsMax: 5000 };
const BULK_TIMEOUT_MS = 120_000;
/** Of images that come without one; values of this library have the time that they are given. */
const NO_TTL_MS = 0;

export function createValueTiers(options: ValueTiersOptions, clock: Clock, log: LibraryLog): ValueTiers {
  const { memoryBytes, memoryEntries, redis } = options;
  const memory =
    memoryBytes === 0
      ? undefined
      : createMemoryTier({ limitBytes: memoryBytes, limitEntries: memoryEntries }, clock);
  const tiers = [
    ...(redis === undefined ? [] : [openRedisTier(redis, options, clock, log)]),
    ...(options.dir === '' ? [] : [openDiskTier(options, clock, log)]),
  ];
  return {
    cache: createTieredCache({ memory, tiers }, { clock }),
    async close() {
      for (const tier of tiers) await tier.close();
    },
  };
}

function openDiskTier({ dir, diskBytes }: ValueTiersOptions, clock: Clock, log: LibraryLog): Tier {
  const limits = { limitBytes: diskBytes, minFreeBytes: MIN_FREE_BYTES, wholeBytesMax: VALUE_BYTES_MAX };
  return createDiskTier({ dir, ...limits }, { clock, log: asLog(log) });
}

/** The parts log fields and a message; a call of another form has only a message. */
function asLog(log: LibraryLog): Pick<Log, 'info' | 'warn'> {
  const through = (write: LibraryLog['info']) => (first: unknown, message?: unknown) =>
    typeof message === 'string' && isObject(first) ? write(first, message) : write({}, String(first));
  return {
    info: through((fields, message) => log.info(fields, message)),
    warn: through((fields, message) => log.warn(fields, message)),
  };
}

function openRedisTier(client: RedisClient, options: ValueTiersOptions, clock: Clock, log: LibraryLog): Tier {
  const tier = createRedisTier(
    {
      keys: createRedisKeys('image:'),
      format: 'hash',
      defaultTtlMs: NO_TTL_MS,
      maxValueBytes: VALUE_BYTES_MAX,
      announces: false,
    },
    {
      client,
      clock,
      decode: async () => {
        throw new AppError('not_an_image');
      },
      onUnreadable: () => undefined,
    },
  );
  return createGuardedTier(
    tier,
    { deadlineMs: options.timeoutMs, bulkDeadlineMs: BULK_TIMEOUT_MS, breaker: BREAKER },
    {
      clock: steadyClock,
      onChange: (name, to) => {
        if (to === 'open') log.warn({ tier: name }, `The ${name} tier fails: going on without it`);
        if (to === 'closed') log.info({ tier: name }, `The ${name} tier works again`);
      },
    },
  );
}
