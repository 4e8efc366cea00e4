/**
 * All subscribers of one frame mode: every event that one of them follows is encoded once, and
 * delivered in order. An image that is slow to come delays its own mode alone.
 */
import type { Clock } from '../core/clock.ts';
import { cursorTimeMs } from '../core/cursor.ts';
import type { ImageEvent } from '../core/event.ts';
import type { GapReason } from './bus.ts';
import type { EventCounters } from './event-counters.ts';
import { createEventLine, type LineEntry } from './event-line.ts';
import { createFrameMaker, type FrameMakerDeps } from './frame-maker.ts';
import type { Frame, FrameMode } from './sink.ts';
import type { OwnFrames, Subscriber } from './subscriber.ts';
import { createTopicIndex, type TopicIndex } from './topic-index.ts';

export interface Channel extends OwnFrames {
  readonly mode: FrameMode;
  readonly followers: TopicIndex<Subscriber>;
  /** Where a new subscriber begins: after the event that is being delivered. */
  position(): string;
  /** Through here, every live subscriber has had what it follows. */
  settled(): string;
  accept(event: ImageEvent): void;
  /** Makes at most so many deliveries. True: there is more that could be delivered now. */
  run(limit: number): boolean;
  /** The frame of an event of history; a promise where its image has to be loaded. */
  frameOf(event: ImageEvent): Frame | Promise<Frame>;
  /** Tells a new subscriber where it begins. */
  startFrame(): Frame;
  gapFrame(reason: GapReason, cursor: string): Frame;
  /** Nobody is left: gives up what is still loaded. */
  close(): void;
}

export interface ChannelDeps extends FrameMakerDeps {
  readonly counters: EventCounters;
  readonly clock: Clock;
  /** Something that was waited for can be delivered now. */
  readonly onReady: () => void;
}

/** A line longer than this is delivered without letting anything else run: producers wait, too. */
const LINE_MAX = 4096;

export function createChannel(mode: FrameMode, start: string, deps: ChannelDeps): Channel {
  const { encoder, counters, clock, onReady } = deps;
  const maker = createFrameMaker(mode, deps);
  const followers = createTopicIndex<Subscriber>();
  const closing = new AbortController();
  const onReplaced = (): void => void (counters.conflated += 1);
  const line = createEventLine({ maker, carriesImages: deps.loader !== undefined, onReady, onReplaced });
  /** Who gets the first in line; undefined until its delivery begins. */
  let recipients: readonly Subscriber[] | undefined;
  let next = 0;
  let position = start;
  let settled = start;
  let heartbeat = { cursor: '', frame: encoder.heartbeat('') };

  function begin(entry: LineEntry): readonly Subscriber[] {
    line.begin(entry);
    position = entry.event.cursor;
    next = 0;
    return entry.replaced ? [] : followers.match(entry.event.topics);
  }

  function finish({ event }: LineEntry): void {
    settled = event.cursor;
    recipients = undefined;
    line.shift();
    counters.lagLastMs = Math.max(0, clock.nowMs() - cursorTimeMs(event.cursor));
    counters.lagMaxMs = Math.max(counters.lagMaxMs, counters.lagLastMs);
  }

  /** Delivers to as many as it may, from where it stopped; how many that were. */
  function deliver(entry: LineEntry, to: readonly Subscriber[], limit: number): number {
    const frameNow = (event: ImageEvent): Frame => (entry.frame ??= maker.plain(event));
    const from = next;
    const end = Math.min(to.length, from + limit);
    for (; next < end; next += 1) to[next]?.deliver(entry.event, frameNow);
    return next - from;
  }

  return {
    mode,
    followers,
    position: () => position,
    settled: () => settled,
    accept(event) {
      const wanted = followers.isFollowed(event.topics);
      if (wanted || line.length() > 0) line.push(event, wanted);
      else position = settled = event.cursor;
    },
    run(limit) {
      let left = line.length() > LINE_MAX ? Number.POSITIVE_INFINITY : limit;
      for (let entry = line.first(); entry !== undefined; entry = line.first()) {
        if (entry.load !== undefined && !entry.replaced) return false;
        recipients ??= begin(entry);
        left -= deliver(entry, recipients, left);
        if (next < recipients.length) return true;
        finish(entry);
      }
      return false;
    },
    frameOf: (event) => maker.make(event, closing.signal),
    startFrame: () => encoder.heartbeat(position),
    gapFrame: (reason, cursor) => encoder.gap(reason, cursor),
    heartbeat(live) {
      const cursor = live ? settled : '';
      if (heartbeat.cursor !== cursor) heartbeat = { cursor, frame: encoder.heartbeat(cursor) };
      return heartbeat.frame;
    },
    farewell: (reason) => encoder.close(reason),
    close: () => closing.abort(),
  };
}
