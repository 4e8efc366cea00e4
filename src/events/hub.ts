/**
 * Who follows what, and the way of an event from the bus to all of them. Deliveries happen between
 * requests, never inside one: a fan-out within a handler is several times slower. Knows no transport.
 */
import type { Clock } from '../core/clock.ts';
import type { ImageEvent } from '../core/event.ts';
import { AppError } from '../errors.ts';
import type { Log } from '../observe/log.ts';
import type { Bus } from './bus.ts';
import { catchUp } from './catch-up.ts';
import type { Channel } from './channel.ts';
import { createEventCounters, type EventCounters } from './event-counters.ts';
import { createFrameCache } from './frame-cache.ts';
import { readStats, slowestOf, type HubStats, type SlowReader, type TopicRow } from './hub-stats.ts';
import type { LoadInline } from './inline-loader.ts';
import { openChannel } from './open-channel.ts';
import { createRoster, type Roster } from './roster.ts';
import type { FrameMode, Sink } from './sink.ts';
import { Subscriber, type StreamRules } from './subscriber.ts';

export interface HubOptions {
  readonly subscribersMax: number;
  /** Streams that one client may have open; 0: as many as there may be in all. */
  readonly perClientMax: number;
  /** Topics that one stream may follow. */
  readonly topicsMax: number;
  /** Bytes of frames that may wait for one reader. */
  readonly budgetBytes: number;
  readonly stallMs: number;
  readonly heartbeatMs: number;
  /** How long an event may wait for the image that goes with it. */
  readonly inlineTimeoutMs: number;
  /** A stream ends after half of it to all of it, at random; 0: never. */
  readonly lifetimeMs: number;
  /** Bytes of frames kept for crowds that reconnect. */
  readonly frameCacheBytes: number;
}

export interface HubDeps {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly log: Log;
  readonly loadInline: LoadInline;
  /** From 0 up to 1; spreads what would otherwise happen to all at once. */
  readonly random: () => number;
}

export interface Subscription {
  readonly mode: FrameMode;
  /** Checked filters, each once. */
  readonly filters: readonly string[];
  /** Replay what came after it; undefined: from now on. */
  readonly since: string | undefined;
  readonly client: string;
  /** Milliseconds since the epoch; 0: never. */
  readonly expiresAtMs: number;
}

export interface Hub {
  readonly topicsMax: number;
  /** AppError too_many_connections or shutting_down. */
  admit(client: string): void;
  /** `openSink` is called once, with the subscriber that the transport reports to. */
  subscribe(wish: Subscription, openSink: (subscriber: Subscriber) => Sink): Subscriber;
  /** AppError query_invalid beyond `topicsMax`. Filters that are followed already stay as they are. */
  follow(subscriber: Subscriber, filters: readonly string[], since: string | undefined): void;
  unfollow(subscriber: Subscriber, filters: readonly string[]): void;
  stats(): HubStats;
  /** Readers that can't take more, the fullest first. */
  slowest(count: number): readonly SlowReader[];
  /** Topics and patterns with the most followers. */
  topTopics(count: number): readonly TopicRow[];
  /** Ends every stream with `shutdown`, spread over the grace. */
  close(graceMs: number): Promise<void>;
}

const TICK_MS = 250;
/** Each subscriber is looked at in one tick of these. */
const WHEEL_SLOTS = 4;
/** Deliveries of one mode before requests get a turn: about ten milliseconds. */
const DELIVERIES_PER_TURN = 2000;
const CLOSE_STEP_MS = 50;

export function createHub(options: HubOptions, deps: HubDeps): Hub {
  const { bus, clock, log } = deps;
  const { budgetBytes, stallMs, heartbeatMs, topicsMax } = options;
  const counters = createEventCounters();
  const frames = createFrameCache(options.frameCacheBytes);
  const onReady = (): void => pump();
  const channelDeps = { ...deps, inlineTimeoutMs: options.inlineTimeoutMs, frames, counters, onReady };
  const roster = createRoster(WHEEL_SLOTS, (mode) => openChannel(mode, head, channelDeps));
  const { members, channels } = roster;
  const pump = createPump(channels);
  const onOver = roster.leave;
  const rules: StreamRules = { budgetBytes, stallMs, heartbeatMs, counters, elapsedMs: 0, onOver };
  let ticker: NodeJS.Timeout | undefined;
  let head = bus.head();
  let isClosing = false;

  function tick(): void {
    rules.elapsedMs += TICK_MS;
    const nowMs = clock.nowMs();
    for (const subscriber of roster.nextSlot()) subscriber.tick(nowMs);
  }

  function startCatchUp(subscriber: Subscriber, channel: Channel): void {
    catchUp(subscriber, channel, { bus, counters }).catch((error: unknown) => {
      log.error({ err: error, client: subscriber.terms.client }, 'a replay failed: the stream is closed');
      subscriber.end('failed');
    });
  }

  listenTo(bus, roster, counters, (event) => {
    head = event.cursor;
    pump();
  });

  return {
    topicsMax,
    admit(client) {
      if (isClosing) throw new AppError('shutting_down');
      checkRoom(roster, client, options);
    },
    subscribe({ mode, filters, since, client, expiresAtMs }, openSink) {
      const channel = roster.channelOf(mode);
      const lifeMs = Math.ceil(options.lifetimeMs * (0.5 + deps.random() / 2));
      const endsAtMs = lifeMs === 0 ? 0 : rules.elapsedMs + lifeMs;
      const subscriber = new Subscriber({ client, expiresAtMs, endsAtMs }, channel, rules);
      subscriber.attach(openSink(subscriber));
      if (subscriber.isOver) return subscriber;
      roster.join(subscriber, channel);
      ticker ??= setInterval(tick, TICK_MS).unref();
      for (const filter of filters) roster.addFilter(subscriber, filter, since);
      if (since !== undefined) startCatchUp(subscriber, channel);
      // Whoever loses the connection before the first event resumes from where it began.
      else subscriber.offer(channel.startFrame());
      return subscriber;
    },
    follow(subscriber, filters, since) {
      const channel = members.get(subscriber);
      const added = newFilters(subscriber, filters, topicsMax);
      if (channel === undefined || added.length === 0) return;
      for (const filter of added) roster.addFilter(subscriber, filter, since);
      // One that is behind replays on its way what these owe.
      if (subscriber.held === undefined && since !== undefined) startCatchUp(subscriber, channel);
    },
    unfollow(subscriber, filters) {
      for (const filter of filters) roster.removeFilter(subscriber, filter);
    },
    stats: () => readStats(members, roster.topicCount(), counters),
    slowest: (count) => slowestOf(members, count),
    topTopics: roster.topTopics,
    async close(graceMs) {
      isClosing = true;
      await endAll([...members.keys()], graceMs);
      clearInterval(ticker);
    },
  };
}

function checkRoom(roster: Roster, client: string, options: HubOptions): void {
  const { subscribersMax, perClientMax } = options;
  if (roster.members.size >= subscribersMax) throw new AppError('too_many_connections');
  if (perClientMax > 0 && roster.streamsOf(client) >= perClientMax) {
    throw new AppError('too_many_connections', `One client may have ${perClientMax} streams open.`);
  }
}

function newFilters(
  { follows }: Subscriber,
  filters: readonly string[],
  topicsMax: number,
): readonly string[] {
  const added = filters.filter((one) => follows.every(({ filter }) => filter !== one));
  if (follows.length + added.length > topicsMax) {
    throw new AppError('query_invalid', `A stream follows at most ${topicsMax} topics.`);
  }
  return added;
}

/** A function that has everything delivered that can be: soon, and between requests. */
function createPump(channels: ReadonlyMap<string, Channel>): () => void {
  let isScheduled = false;
  const schedule = (): void => {
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(() => {
      isScheduled = false;
      let hasMore = false;
      for (const channel of channels.values()) hasMore = channel.run(DELIVERIES_PER_TURN) || hasMore;
      if (hasMore) schedule();
    });
  };
  return schedule;
}

function listenTo(
  bus: Bus,
  roster: Roster,
  counters: EventCounters,
  onEvent: (event: ImageEvent) => void,
): void {
  bus.listen(
    (event) => {
      counters.published += 1;
      for (const channel of roster.channels.values()) channel.accept(event);
      onEvent(event);
    },
    (reason) => {
      for (const [subscriber, channel] of roster.members) {
        counters.gaps += 1;
        subscriber.offer(channel.gapFrame(reason, ''));
      }
    },
  );
}

async function endAll(ending: Subscriber[], graceMs: number): Promise<void> {
  const perStep = Math.ceil(ending.length / Math.max(1, Math.floor(graceMs / CLOSE_STEP_MS)));
  while (ending.length > 0) {
    for (const subscriber of ending.splice(0, perStep)) subscriber.end('shutdown');
    if (ending.length > 0) await new Promise((resolve) => setTimeout(resolve, CLOSE_STEP_MS));
  }
}
