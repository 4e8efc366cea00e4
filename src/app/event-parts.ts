/** Builds the bus, the hub over it and what both need to show images inside events. */
import type { Cache } from '../cache/lookup.ts';
import type { Config } from '../config/table.ts';
import { steadyClock, type Clock } from '../core/clock.ts';
import type { Bus } from '../events/bus.ts';
import { createHub, type Hub } from '../events/hub.ts';
import { createLocalBus } from '../events/local-bus.ts';
import { createPartialThrottle, type PartialThrottle } from '../events/partial-throttle.ts';
import { inlineImage } from '../flows/inline-image.ts';
import type { Log } from '../observe/log.ts';
import type { ImagePool } from '../pool/image-pool.ts';
import type { RedisParts } from './redis-parts.ts';

export interface EventParts {
  readonly bus: Bus;
  readonly hub: Hub;
  /** Before the bus: spaces the partials of an image out. */
  readonly partials: PartialThrottle;
}

const KIB = 1024;
const MIB = 1024 * KIB;
const INLINE_TIMEOUT_MS = 5000;
/** Of frames that were encoded lately, for crowds that reconnect at once. */
const FRAME_CACHE_BYTES = 16 * MIB;

export interface EventPartsDeps {
  readonly cache: Cache;
  readonly pool: ImagePool;
  readonly redis: RedisParts | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

export async function createEventParts(config: Config, deps: EventPartsDeps): Promise<EventParts> {
  const { cache, pool, redis, clock, log } = deps;
  const history = {
    limitEvents: config.HISTORY_EVENTS,
    limitBytes: config.HISTORY_MB * MIB,
    maxAgeMs: config.HISTORY_AGE_S * 1000,
  };
  const bus =
    redis === undefined ? createLocalBus(history, clock, steadyClock) : await redis.openBus(history);
  const hub = createHub(
    {
      subscribersMax: config.EVENTS_MAX_SUBSCRIBERS,
      perClientMax: config.EVENTS_MAX_PER_CLIENT,
      topicsMax: config.EVENTS_MAX_TOPICS,
      budgetBytes: config.EVENTS_SUBSCRIBER_KB * KIB,
      stallMs: config.EVENTS_STALL_S * 1000,
      heartbeatMs: config.EVENTS_HEARTBEAT_S * 1000,
      inlineTimeoutMs: INLINE_TIMEOUT_MS,
      lifetimeMs: config.EVENTS_LIFETIME_S * 1000,
      frameCacheBytes: FRAME_CACHE_BYTES,
    },
    {
      bus,
      clock,
      log,
      loadInline: async (event, bytesMax, signal) => inlineImage(event, bytesMax, { cache, pool }, signal),
      random: Math.random,
    },
  );
  const partials = createPartialThrottle(
    async (draft) => bus.publish(draft),
    config.PARTIAL_INTERVAL_MS,
    (error) =>
      log.error({ err: error }, 'an event could not be published: who follows misses it; look at Redis'),
  );
  return { bus, hub, partials };
}
