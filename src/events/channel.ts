/**
 * All subscribers of one frame mode: every event that one of them follows is encoded once, and
 * delivered in order, with those that came at the same time. An image that is slow to come delays its
 * own mode alone.
 */
import type { Clock } from '../core/clock.ts';
import { cursorTimeMs } from '../core/cursor.ts';
import type { ImageEvent } from '../core/event.ts';
import { createBurst, type Burst } from './burst.ts';
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

interface Delivery {
  readonly burst: Burst<Subscriber>;
  /** Who of its recipients is next. */
  next: number;
}

/** Makes about as many deliveries as it may, from where it stopped; how many that were. */
function deliverSome(delivery: Delivery, limit: number, frameOf: (entry: LineEntry) => Frame): number {
  const { recipients, shareOf } = delivery.burst;
  let made = 0;
  while (delivery.next < recipients.length && made < limit) {
    const recipient = recipients[delivery.next];
    delivery.next += 1;
    if (recipient === undefined) break;
    const share = shareOf(recipient);
    recipient.deliver(share, frameOf);
    made += share.entries.length;
  }
  return made;
}

export function createChannel(mode: FrameMode, start: string, deps: ChannelDeps): Channel {
  const { encoder, counters, clock, onReady } = deps;
  const maker = createFrameMaker(mode, deps);
  const followers = createTopicIndex<Subscriber>();
  const closing = new AbortController();
  const onReplaced = (): void => void (counters.conflated += 1);
  const line = createEventLine({ maker, carriesImages: deps.loader !== undefined, onReady, onReplaced });
  /** The first in line and who gets them; undefined until their delivery begins. */
  let current: Delivery | undefined;
  let position = start;
  let settled = start;
  let heartbeat = { cursor: '', frame: encoder.heartbeat('') };

  const frameOf = (entry: LineEntry): Frame => (entry.frame ??= maker.plain(entry.event));
  const followersOf = ({ event }: LineEntry): readonly Subscriber[] => followers.match(event.topics);

  function begin(): Delivery {
    const burst = createBurst(line.all(), followersOf, frameOf);
    line.begin(burst.length);
    position = line.all()[burst.length - 1]?.event.cursor ?? position;
    return { burst, next: 0 };
  }

  function finish({ burst }: Delivery): void {
    current = undefined;
    for (const { event } of line.shift(burst.length)) {
      settled = event.cursor;
      counters.lagLastMs = Math.max(0, clock.nowMs() - cursorTimeMs(event.cursor));
      counters.lagMaxMs = Math.max(counters.lagMaxMs, counters.lagLastMs);
    }
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
        current ??= begin();
        left -= deliverSome(current, left, frameOf);
        if (current.next < current.burst.recipients.length) return true;
        finish(current);
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
