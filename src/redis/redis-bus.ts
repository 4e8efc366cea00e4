/**
 * The bus of many instances: a stream in Redis gives events their order and cursor, every instance reads
 * all of it and mirrors its past. While Redis is away events are delivered here, and owed to the others.
 */
import type { Clock } from '../core/clock.ts';
import { compareCursors, cursorTimeMs } from '../core/cursor.ts';
import type { EventDraft, ImageEvent } from '../core/event.ts';
import type { Bus, GapReason } from '../events/bus.ts';
import type { History } from '../events/history.ts';
import { createBusHistory, type BusHistory } from './bus-history.ts';
import { asEvent } from './event-entry.ts';
import {
  createEventStream,
  type EventStream,
  type EventStreamOptions,
  type StreamEntry,
} from './event-stream.ts';
import { loadHistory } from './load-history.ts';
import { nextLocalCursor } from './local-cursor.ts';
import { createOutage, type Outage } from './outage.ts';
import type { RedisClient } from './redis-client.ts';
import { createStreamFollower, type FollowerOptions, type StreamFollower } from './stream-follower.ts';

export interface RedisBusOptions extends FollowerOptions, EventStreamOptions {
  /** Tells this instance from the others, also from the one before a restart. */
  readonly instance: string;
}

export interface RedisBusDeps {
  readonly data: RedisClient;
  /** For the bus alone: it blocks, and is closed with the bus. */
  readonly stream: RedisClient;
  readonly clock: Clock;
  readonly createHistory: () => History;
  /** Once per change. `local`: events reach only those who are here. `lost`: those of others do not arrive. */
  readonly onSwitch: (to: BusState, reason: string) => void;
}

type BusState = 'shared' | 'local' | 'lost';

export interface RedisBusStats {
  /** Reads the stream. */
  readonly connected: boolean;
  /** Events are delivered here only. */
  readonly local: boolean;
  readonly published: number;
  readonly publishedHere: number;
  readonly delivered: number;
  /** To the other instances. */
  readonly owed: number;
  /** Never told to the other instances. */
  readonly dropped: number;
  readonly gaps: number;
  /** From publishing to delivery here, of the newest event. */
  readonly lagMs: number;
}

export interface RedisBus extends Bus {
  /** Resolves when the past is there, or Redis is not. */
  start(): Promise<void>;
  /** Something happened that no event will tell of: streams of this instance get a gap. */
  tellGap(): void;
  stats(): RedisBusStats;
}

export function createRedisBus(options: RedisBusOptions, deps: RedisBusDeps): RedisBus {
  const { data } = deps;
  const stream = createEventStream(options);
  const history = createBusHistory(deps.createHistory);
  const delivery = createDelivery();

  function take({ id, entry }: StreamEntry): void {
    if (entry === undefined) return;
    delivery.noteLag(follower.redisNowMs() - cursorTimeMs(id));
    // Among events of an outage it may come late; the past is made anew after that.
    if (compareCursors(id, history.head()) > 0) history.keep(entry.event);
    if (!outage.wasDelivered(entry.origin)) delivery.give(entry.event);
  }

  const tell = createTeller(deps.onSwitch, () => stateOf(outage, follower));

  const load = async (throughId: string, began: string): Promise<void> =>
    loadHistory(throughId, began, { client: deps.stream, stream, history });

  const follower = createStreamFollower(
    options,
    { ...deps, client: deps.stream, stream },
    {
      onUp: (_, reason) => tell(reason),
      onEntry: take,
      onLost: delivery.lose,
      async onRestart({ id }, began, why) {
        await load(id, began);
        if (why !== undefined || outage.isOn()) delivery.lose();
      },
      isWaiting: () => outage.isOn() && data.status === 'ready',
      onIdle: async ({ id }, began) =>
        outage.end(
          async (draft, origin) => stream.add(data, draft, origin),
          async () => {
            // Nothing may have been owed: that events can be published again is seen all the same.
            await stream.tip(data);
            await load(id, began);
          },
        ),
    },
  );
  const outage = createOutage({
    history,
    onSwitch: (_, reason) => tell(reason),
    deliver: delivery.give,
    redisNowMs: () => follower.redisNowMs(),
  });

  const publisher = createPublisher(options.instance, { stream, data, outage });

  return {
    async start() {
      await follower.start();
      if (follower.isUp()) return;
      beginNow(history, follower);
      outage.begin('Redis could not be reached');
    },
    tellGap: delivery.lose,
    head: history.head,
    publish: publisher.publish,
    async replay(filters, since) {
      if (!outage.isOn()) await readUpToNow({ stream, data, follower }, options.timeoutMs);
      return history.replay(filters, since, outage.isOn());
    },
    listen: delivery.listen,
    stats: () => ({
      ...delivery.stats(),
      ...outage.stats(),
      published: publisher.published(),
      connected: follower.isUp(),
    }),
    async close() {
      delivery.listen(ignore, ignore);
      await follower.close();
    },
  };
}

function stateOf(outage: Outage, follower: StreamFollower): BusState {
  if (outage.isOn()) return 'local';
  return follower.isUp() ? 'shared' : 'lost';
}

/** A stream that starts here must not ask for what was before. */
function beginNow(history: BusHistory, follower: StreamFollower): void {
  const cursor = nextLocalCursor(history.head(), follower.redisNowMs());
  history.begin({ cursor, reason: 'restarted' }, [], cursor);
}

/** Once per change. */
function createTeller(onSwitch: RedisBusDeps['onSwitch'], read: () => BusState): (reason: string) => void {
  let told: BusState = 'shared';
  return (reason) => {
    const now = read();
    if (now === told) return;
    told = now;
    onSwitch(now, reason);
  };
}

const ignore = (): void => undefined;

/** To the one listener, and how much of it there was. */
function createDelivery() {
  const counts = { delivered: 0, gaps: 0, lagMs: 0 };
  let onEvent: (event: ImageEvent) => void = ignore;
  let onGap: (reason: GapReason) => void = ignore;
  return {
    listen(eventListener: typeof onEvent, gapListener: typeof onGap): void {
      onEvent = eventListener;
      onGap = gapListener;
    },
    give(event: ImageEvent): void {
      counts.delivered += 1;
      onEvent(event);
    },
    lose(): void {
      counts.gaps += 1;
      onGap('disconnected');
    },
    noteLag(lagMs: number): void {
      counts.lagMs = Math.max(0, lagMs);
    },
    stats: () => ({ ...counts }),
  };
}

interface PublisherDeps {
  readonly stream: EventStream;
  readonly data: RedisClient;
  readonly outage: Outage;
}

function createPublisher(
  instance: string,
  { stream, data, outage }: PublisherDeps,
): { publish(draft: EventDraft): Promise<ImageEvent>; published(): number } {
  let drafts = 0;
  let published = 0;
  return {
    async publish(draft) {
      drafts += 1;
      const origin = `${instance}:${drafts}`;
      if (outage.isOn()) return outage.publish(draft, origin);
      try {
        const id = await stream.add(data, draft, origin);
        published += 1;
        return asEvent(draft, id);
      } catch (error) {
        outage.begin(error instanceof Error ? error.message : String(error));
        return outage.publish(draft, origin);
      }
    },
    published: () => published,
  };
}

/** Everything published before now is then in history. If Redis can't say, it will be given live. */
async function readUpToNow(
  parts: { readonly stream: EventStream; readonly data: RedisClient; readonly follower: StreamFollower },
  timeoutMs: number,
): Promise<void> {
  try {
    const tip = await parts.stream.tip(parts.data);
    if (tip !== undefined) await parts.follower.reach(tip, timeoutMs);
  } catch {
    return;
  }
}
