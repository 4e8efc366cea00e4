/** Builds Redis as a tier: behind a breaker, with the disk to fall back on, and back by itself. */
import { createGuardedTier, type GuardedTier } from '../cache/guarded-tier.ts';
import type { Tier } from '../cache/tier.ts';
import type { Config } from '../config/table.ts';
import { steadyClock, type Clock } from '../core/clock.ts';
import { valueKey } from '../core/keys.ts';
import type { HealthChanges } from '../observe/health-changes.ts';
import type { Log } from '../observe/log.ts';
import type { ImagePool } from '../pool/image-pool.ts';
import { createFallbackTier } from '../redis/fallback-tier.ts';
import type { RedisClient } from '../redis/redis-client.ts';
import type { RedisKeys } from '../redis/redis-keys.ts';
import { createRedisTier } from '../redis/redis-tier.ts';
import { createForeignDecoder } from './foreign-decoder.ts';

export interface RedisStoreDeps {
  readonly client: RedisClient;
  readonly keys: RedisKeys;
  readonly pool: ImagePool;
  readonly clock: Clock;
  readonly log: Log;
  readonly health: HealthChanges;
  /** Whether a change of the key by another program is being announced. */
  readonly isAnnounced: (key: string) => boolean;
  /** Redis answered. Called each time. */
  readonly onAnswer: () => void;
  /** Redis answered at the start. */
  readonly wasReady: boolean;
}

const MIB = 1024 * 1024;
const BREAKER = { failuresToOpen: 3, pauseMs: 250, pauseMsMax: 1000 };
/** For a walk over every key. */
const BULK_TIMEOUT_MS = 120_000;
/** A reply, its decoding in a worker, and a little. */
const CALLS_PER_GET = 3;
const RETURN_EVERY_MS = 1000;

function openTier(
  config: Config,
  deps: RedisStoreDeps,
): { readonly primary: GuardedTier; readonly isFull: () => boolean } {
  const { client, keys, pool, clock, log, health } = deps;
  health.note('redis-breaker', 'closed', 'start');
  const tier = createRedisTier(
    {
      keys,
      format: config.REDIS_FORMAT,
      defaultTtlMs: config.REDIS_TTL_S * 1000,
      maxValueBytes: config.REDIS_MAX_VALUE_MB * MIB,
      announces: config.REDIS_ANNOUNCE,
    },
    {
      client,
      clock,
      decode: createForeignDecoder(pool, {
        limitBytes: config.MAX_IMAGE_MB * MIB,
        isAnnounced: deps.isAnnounced,
      }),
      onFull(isFull) {
        if (isFull) log.warn('Redis has no room: what comes in is kept here until it has');
        else log.info('Redis has room again');
        health.note('redis-backend', isFull ? 'full' : 'primary', isFull ? 'no room' : '');
      },
      onUnreadable: (key, reason) => log.warn({ key, reason }, 'a value under the key of an image is none'),
    },
  );
  const deadlineMs = config.REDIS_TIMEOUT_MS * CALLS_PER_GET;
  const primary = createGuardedTier(
    tier,
    { deadlineMs, bulkDeadlineMs: BULK_TIMEOUT_MS, breaker: BREAKER },
    {
      clock: steadyClock,
      onAnswer: deps.onAnswer,
      onChange: (name, to, from) => {
        // It tries every second for as long as it is open: said once.
        const isNews = to === 'closed' || (to === 'open' && from === 'closed');
        const said = { tier: name, breaker: to };
        if (isNews && to === 'open')
          log.warn(said, 'Redis fails: it is left alone and tried each second; look at it');
        else if (isNews) log.info(said, 'Redis answers again');
        health.note('redis-breaker', to);
      },
    },
  );
  return { primary, isFull: tier.isFull };
}

export interface RedisStore extends Tier {
  /** The connection is there again: asks at once, so that nobody is refused for what was before. */
  wake(): void;
}

/** `fallback` undefined: while Redis is away nothing is taken in. */
export function createRedisStore(
  config: Config,
  deps: RedisStoreDeps,
  fallback: Tier | undefined,
): RedisStore {
  const { primary, isFull } = openTier(config, deps);
  if (fallback === undefined) return { ...primary, wake: () => wake(primary, primary) };
  const store = createFallbackTier(primary, fallback, {
    clock: deps.clock,
    steady: steadyClock,
    isFull,
    onSwitch: (to, reason) => {
      logSwitch(to, reason, deps);
      deps.health.note('redis-backend', to === 'primary' && isFull() ? 'full' : to, reason);
    },
  });
  // What was taken in while Redis was away is owed to the other instances, also if nobody asks here again.
  const returning = setInterval(() => {
    if (!store.isOnFallback() && store.stats().owed === 0) return;
    ask(store);
  }, RETURN_EVERY_MS).unref();
  return {
    ...store,
    // A spread would freeze its name, which says which of the two answers.
    get name() {
      return store.name;
    },
    wake: () => wake(primary, store),
    async close() {
      clearInterval(returning);
      await store.close();
    },
  };
}

function ask(store: Tier): void {
  store.get(valueKey('return'), AbortSignal.timeout(RETURN_EVERY_MS)).catch(() => undefined);
}

function wake(primary: GuardedTier, store: Tier): void {
  primary.wake();
  ask(store);
}

function logSwitch(to: 'primary' | 'fallback', reason: string, { log, wasReady }: RedisStoreDeps): void {
  if (to === 'primary') log.info('Using Redis cache backend');
  else if (wasReady) log.warn({ reason }, 'Redis cache failed, falling back to disk cache');
  else log.warn({ reason }, 'Redis cache initialization failed, falling back to disk cache');
}
