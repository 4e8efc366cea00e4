/**
 * Builds what hears of changes that other programs make in Redis, and says from that whether memory may be
 * trusted. What is announced of a change is decided elsewhere.
 */
import type { TieredCache } from '../cache/tiered-cache.ts';
import type { HealthChanges } from '../observe/health-changes.ts';
import type { Log } from '../observe/log.ts';
import { createCoherence } from '../redis/coherence.ts';
import { DATA_UNANSWERED, type Invalidation } from '../redis/invalidation.ts';
import { createSilence } from '../redis/silence.ts';
import type { RedisClients } from './redis-clients.ts';

export interface RedisHearing {
  /**
   * Redis says what other programs change; or it gives no answer: then memory is as it was when Redis was
   * last heard, with all that came in here since. Not in between, when Redis could say what it has.
   */
  isMemoryTrusted(): boolean;
  /** Redis answered. */
  answered(): void;
  start(cache: Pick<TieredCache, 'invalidateAll'>, listener: HearingListener): void;
  close(): void;
}

export interface HearingListener {
  readonly onChange: (redisKey: string) => void;
  /** Changes are heard of again. What other programs changed meanwhile is in no event, perhaps nowhere. */
  readonly onGap: () => void;
}

export interface HearingOptions {
  readonly prefixes: readonly string[];
  readonly probeKey: string;
  readonly deadlineMs: number;
  /** Redis answered at the start. */
  readonly wasReady: boolean;
}

const HEARTBEAT_MS = 1000;

export function createRedisHearing(
  { wasReady, ...options }: HearingOptions,
  clients: Pick<RedisClients, 'data' | 'subscriber'>,
  { log, health }: { readonly log: Log; readonly health: HealthChanges },
): RedisHearing {
  let channel: Invalidation | undefined;
  let forget = (): void => undefined;
  let wasDeaf = !wasReady;
  const isArmed = (): boolean => channel?.isArmed() === true;
  const silence = createSilence(clients.data, wasReady, { onEnd: () => isArmed() || forget() });

  return {
    isMemoryTrusted: () => isArmed() || silence.isOn(),
    answered: silence.end,
    start(cache, { onChange, onGap }) {
      forget = cache.invalidateAll;
      health.note('redis-invalidation', 'lost', 'start');
      const { data: client, subscriber } = clients;
      channel = createCoherence(
        { client, subscriber, ...options, heartbeatMs: HEARTBEAT_MS },
        {
          onInvalidate: onChange,
          onInvalidateAll: forget,
          onLost(reason) {
            log.warn(
              { reason },
              'changes in Redis are not heard of: it is asked for each image while it answers',
            );
            health.note('redis-invalidation', 'lost', reason);
            wasDeaf = true;
            silence.begin(reason === DATA_UNANSWERED);
          },
          onArmed() {
            log.info('changes in Redis are heard of: memory is trusted');
            health.note('redis-invalidation', 'armed');
            silence.end();
            forget();
            if (wasDeaf) onGap();
            wasDeaf = false;
          },
        },
      );
      channel.start();
    },
    close: () => channel?.close(),
  };
}
