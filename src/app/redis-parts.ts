/**
 * Builds what Redis is used for: a tier with the disk to fall back on, the channel that says what other
 * programs change, the announcer of such changes, and the bus of many instances.
 */
import { randomUUID } from 'node:crypto';
import type { TieredCache } from '../cache/tiered-cache.ts';
import type { Tier } from '../cache/tier.ts';
import type { Config } from '../config/table.ts';
import { steadyClock, type Clock } from '../core/clock.ts';
import type { EventDraft } from '../core/event.ts';
import type { TicketStore } from '../core/grant.ts';
import { createHistory, type HistoryLimits } from '../events/history.ts';
import { announceDeleted, readForeign } from '../flows/announce-foreign.ts';
import type { HealthChanges } from '../observe/health-changes.ts';
import type { Log } from '../observe/log.ts';
import type { ImagePool } from '../pool/image-pool.ts';
import { createAnnouncer, type Announcer } from '../redis/announcer.ts';
import { createImageStates, type ImageStates } from '../redis/image-state.ts';
import type { AnnounceFlow } from '../redis/look-after.ts';
import { createRedisBus, type RedisBus } from '../redis/redis-bus.ts';
import { createRedisKeys, idOfImageKey, isImageKey, type RedisKeys } from '../redis/redis-keys.ts';
import { createTicketStore } from '../redis/ticket-store.ts';
import { createRedisClients, type RedisClients } from './redis-clients.ts';
import { createRedisHearing, type RedisHearing } from './redis-hearing.ts';
import { createRedisStore, type RedisStore } from './redis-store.ts';

export interface RedisParts {
  /** Redis, and the fallback behind it when Redis is away. */
  createTier(fallback: Tier | undefined): Tier;
  readonly isMemoryTrusted: RedisHearing['isMemoryTrusted'];
  openBus(limits: HistoryLimits): Promise<RedisBus>;
  readonly tickets: TicketStore;
  /** From now on changes of other programs reach the cache, and are announced. */
  follow(deps: FollowRedisDeps): void;
  close(): Promise<void>;
}

export interface FollowRedisDeps {
  readonly cache: TieredCache;
  readonly pool: ImagePool;
  readonly announce: (draft: EventDraft) => Promise<unknown>;
  readonly publicBaseUrl: string;
}

export interface RedisPartsDeps {
  readonly pool: ImagePool;
  readonly clock: Clock;
  readonly log: Log;
  readonly health: HealthChanges;
}

const MIB = 1024 * 1024;
/** Beginning without Redis means a gap for every stream when it turns up: a busy machine gets a moment. */
const START_WAIT_MS = 3000;
const ANNOUNCER = { queueMax: 10_000, concurrency: 4, timeoutMs: 15_000, retryMs: 500 };
/** How long one instance looks after the changes of an image; as long it stays unannounced if that one dies. */
const CLAIM_MS = 5000;
const STREAM = { blockMs: 1000, retryMs: 250, trimEveryMs: 10_000 };

function connect(config: Config, log: Log): RedisClients {
  const connection = {
    url: config.REDIS_URL,
    host: config.REDIS_HOST,
    port: config.REDIS_PORT,
    db: config.REDIS_DB,
    password: config.REDIS_PASSWORD,
    tls: config.REDIS_TLS,
    timeoutMs: config.REDIS_TIMEOUT_MS,
    // One that is too large comes cut off, one byte longer than it may be.
    maxValueBytes: config.REDIS_MAX_VALUE_MB * MIB + 1,
  };
  return createRedisClients(connection, (name, state, reason) => {
    if (state === 'ready') log.info({ connection: name }, 'Redis connection is ready');
    else log.warn({ connection: name, reason }, 'Redis connection is lost; trying again');
  });
}

/** Undefined: REDIS_ENABLED is false. Waits a moment for Redis; without it the fallback begins. */
export async function openRedis(config: Config, deps: RedisPartsDeps): Promise<RedisParts | undefined> {
  if (!config.REDIS_ENABLED) return undefined;
  const { clock, log, health } = deps;
  const clients = connect(config, log);
  const instance = randomUUID();
  const keys = createRedisKeys(config.REDIS_KEY_PREFIX);
  const timeoutMs = config.REDIS_TIMEOUT_MS;
  const defaultTtlMs = config.REDIS_TTL_S * 1000;
  const hasOrigin = config.AZURE_STORAGE_CONNECTION_STRING !== '' || config.AZURE_STORAGE_ACCOUNT !== '';
  const wasReady = await clients.ready(Math.max(timeoutMs, START_WAIT_MS));
  let announcer: Announcer | undefined;
  let store: RedisStore | undefined;
  let bus: RedisBus | undefined;
  const hearing = createRedisHearing(
    {
      prefixes: keys.trackedPrefixes,
      probeKey: keys.probe(instance),
      deadlineMs: timeoutMs,
      wasReady,
    },
    clients,
    { log, health },
  );
  // Before the channel listens: what is asked then goes before what arms it.
  clients.data.on('ready', () => store?.wake());

  const follow = (targets: FollowRedisDeps): void => {
    const { cache } = targets;
    if (config.REDIS_ANNOUNCE) {
      const states = createImageStates(clients.data, { keys, instance, claimMs: CLAIM_MS, defaultTtlMs });
      announcer = openAnnouncer(states, announceFlow(targets, hasOrigin), log);
    }
    hearing.start(cache, {
      onChange(redisKey) {
        const key = keys.toCache(redisKey);
        if (key === undefined) return;
        cache.invalidate(key);
        if (isImageKey(key)) announcer?.changed(idOfImageKey(key));
      },
      onGap() {
        if (config.REDIS_ANNOUNCE) bus?.tellGap();
      },
    });
  };

  const isAnnounced = (key: string): boolean =>
    isImageKey(key) && announcer?.isLookingAfter(idOfImageKey(key)) === true;

  return {
    tickets: createTicketStore(clients.data, keys),
    createTier(fallback) {
      store = createRedisStore(
        config,
        { ...deps, client: clients.data, keys, wasReady, isAnnounced, onAnswer: hearing.answered },
        fallback,
      );
      return store;
    },
    follow,
    isMemoryTrusted: hearing.isMemoryTrusted,
    async openBus(limits) {
      bus = await openBus({ ...limits, instance, keys, timeoutMs }, { clients, clock, log, health });
      return bus;
    },
    async close() {
      hearing.close();
      await announcer?.close();
      clients.close();
    },
  };
}

function openAnnouncer(states: ImageStates, flow: AnnounceFlow, log: Log): Announcer {
  const onFailed = (id: string, error: unknown): void =>
    log.warn(
      { id, err: error },
      'a change in Redis could not be announced: who follows the image misses it; `err` says why',
    );
  return createAnnouncer(ANNOUNCER, { states, flow, onFailed });
}

/** What Redis evicts looks like what somebody deleted: with an origin behind it, it is not gone. */
function announceFlow(targets: FollowRedisDeps, hasOrigin: boolean): AnnounceFlow {
  return {
    read: async (id, signal) => readForeign(id, targets, signal),
    deleted: async (id) => (hasOrigin ? undefined : announceDeleted(id, targets)),
  };
}

interface BusOptions extends HistoryLimits {
  readonly instance: string;
  readonly keys: RedisKeys;
  readonly timeoutMs: number;
}

async function openBus(
  { keys, ...options }: BusOptions,
  deps: Omit<RedisPartsDeps, 'pool'> & { readonly clients: RedisClients },
): Promise<RedisBus> {
  const { clients, clock, log, health } = deps;
  const bus = createRedisBus(
    { key: keys.events, beganKey: keys.eventsBegan, ...options, ...STREAM },
    {
      data: clients.data,
      stream: clients.stream,
      clock,
      createHistory: () => createHistory(options, clock, steadyClock),
      onSwitch: (to, reason) => {
        if (to === 'shared') log.info('events go through Redis to every instance');
        else if (to === 'lost')
          log.warn({ reason }, 'events of other instances do not arrive until Redis is back');
        else log.warn({ reason }, 'events reach only the streams of this instance until Redis is back');
        health.note('events-bus', to, reason);
      },
    },
  );
  health.note('events-bus', 'shared', 'start');
  await bus.start();
  return bus;
}
