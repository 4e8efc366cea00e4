/**
 * One reader's side of a stream: what is sent, what waits, what conflates, and when it is over. Knows
 * neither topics nor transport. A class, because there are tens of thousands: no closure for each.
 */
import { compareCursors, CURSOR_ZERO } from '../core/cursor.ts';
import type { ImageEvent } from '../core/event.ts';
import type { Share } from './burst.ts';
import type { EventCounters } from './event-counters.ts';
import type { LineEntry } from './event-line.ts';
import { isOwed, type Follow } from './follow.ts';
import type { CloseReason, Frame, SendOutcome, Sink } from './sink.ts';

/** What all subscribers of a hub share. */
export interface StreamRules {
  /** Bytes of frames that may wait for one reader. */
  readonly budgetBytes: number;
  readonly stallMs: number;
  readonly heartbeatMs: number;
  readonly counters: EventCounters;
  /** Time as the hub's ticks count it: never goes back. */
  elapsedMs: number;
  readonly onOver: (subscriber: Subscriber) => void;
}

/** The frames that a subscriber sends on its own account, encoded for its mode. */
export interface OwnFrames {
  /** `live`: it has had everything so far, and may be told where it stands. */
  heartbeat(live: boolean): Frame;
  farewell(reason: CloseReason): Frame;
}

export interface SubscriberTerms {
  /** Who it is, for the list of slow readers; never a secret. */
  readonly client: string;
  /** Milliseconds since the epoch; 0: never. */
  readonly expiresAtMs: number;
  /** In elapsed time; 0: never. */
  readonly endsAtMs: number;
}

/** Enough for the events of one replay call; beyond it, history is the better place to wait in. */
const HELD_MAX = 256;

export class Subscriber {
  readonly terms: SubscriberTerms;
  readonly frames: OwnFrames;
  readonly follows: Follow[] = [];
  /** Events that came while it was behind; undefined when it is live. */
  held: ImageEvent[] | undefined = undefined;
  /** More came than is held: history has to be asked again. */
  heldTooMany = false;
  /** The last event that it was given live. */
  lastCursor = CURSOR_ZERO;
  /** Events may still come that a replay has given already: check each through this cursor. '' otherwise. */
  ahead = '';
  waitingBytes = 0;
  isOver = false;
  private readonly rules: StreamRules;
  private sink: Sink | undefined = undefined;
  /** Waiting frames in order; a partial under its image id, so that the next one finds it. */
  private waiting: Map<string | Frame, Frame> | undefined = undefined;
  private blocked = false;
  private activeAtMs: number;
  private resume: (() => void) | undefined = undefined;

  constructor(terms: SubscriberTerms, frames: OwnFrames, rules: StreamRules) {
    this.terms = terms;
    this.frames = frames;
    this.rules = rules;
    this.activeAtMs = rules.elapsedMs;
  }

  attach(sink: Sink): void {
    this.sink = sink;
  }

  /** How long the reader has taken nothing while bytes wait for it. */
  get stalledMs(): number {
    return this.blocked ? this.rules.elapsedMs - this.activeAtMs : 0;
  }

  get isBlocked(): boolean {
    return this.blocked;
  }

  /** Sends the frame, or keeps it until the reader has taken what is before it. */
  offer(frame: Frame): void {
    if (this.isOver) return;
    if (this.blocked) this.enqueue(frame);
    else this.send(frame);
  }

  /** Events that it follows, in cursor order: at once, unless each has to be looked at. */
  deliver({ entries, frames }: Share, frameOf: (entry: LineEntry) => Frame): void {
    const isPlain = this.held === undefined && this.ahead === '' && !this.blocked;
    if (frames.length === 0 || !isPlain) {
      for (const entry of entries) this.deliverOne(entry, frameOf);
      return;
    }
    if (this.isOver) return;
    this.lastCursor = entries.at(-1)?.event.cursor ?? this.lastCursor;
    this.sendAll(frames);
  }

  /** The transport can take more: sends what waits. False: there was nothing to send. */
  drained(): boolean {
    this.blocked = false;
    this.progressed();
    const { waiting } = this;
    if (waiting === undefined) {
      this.release();
      return false;
    }
    for (const [key, frame] of waiting) {
      if (this.blocked || this.isOver) break;
      waiting.delete(key);
      this.waitingBytes -= frame.bytes.byteLength;
      this.send(frame);
    }
    if (waiting.size === 0) this.waiting = undefined;
    if (!this.blocked) this.release();
    return true;
  }

  /** The reader has taken some of what is outstanding. */
  progressed(): void {
    this.activeAtMs = this.rules.elapsedMs;
  }

  /** The transport is gone: the reader left, or the network did. */
  closed(): void {
    if (this.isOver) return;
    this.rules.counters.left += 1;
    this.finish();
  }

  end(reason: CloseReason): void {
    if (this.isOver) return;
    this.rules.counters.cut[reason] += 1;
    this.finish();
    this.sink?.end(reason, this.frames.farewell(reason));
  }

  /** About once a second. */
  tick(nowMs: number): void {
    const { elapsedMs, heartbeatMs, stallMs, counters } = this.rules;
    const { expiresAtMs, endsAtMs } = this.terms;
    if (expiresAtMs !== 0 && nowMs >= expiresAtMs) return this.end('expired');
    if (endsAtMs !== 0 && elapsedMs >= endsAtMs) return this.end('lifetime');
    const idleMs = elapsedMs - this.activeAtMs;
    if (this.blocked) {
      // A heartbeat behind bytes that nobody reads would only add to them.
      if (idleMs >= stallMs) this.end('stalled');
      else this.sink?.hold();
    } else if (idleMs >= heartbeatMs) {
      counters.heartbeats += 1;
      this.send(this.frames.heartbeat(this.held === undefined && this.ahead === ''));
    }
  }

  /** Resolves when nothing waits any more, or when it is over: the stall deadline bounds it. */
  async untilDrained(): Promise<void> {
    if (!this.blocked || this.isOver) return;
    await new Promise<void>((resolve) => {
      this.resume = resolve;
    });
  }

  /** The frame is made only if it is sent now. */
  private deliverOne(entry: LineEntry, frameOf: (entry: LineEntry) => Frame): void {
    const { event } = entry;
    if (this.isOver) return;
    if (this.held !== undefined) return this.hold(event, this.held);
    if (this.ahead !== '') {
      if (compareCursors(event.cursor, this.ahead) > 0) this.ahead = '';
      else if (!isOwed(this.follows, event)) return;
    }
    this.lastCursor = event.cursor;
    this.offer(frameOf(entry));
  }

  private hold(event: ImageEvent, held: ImageEvent[]): void {
    if (held.length < HELD_MAX) held.push(event);
    else this.heldTooMany = true;
  }

  private send(frame: Frame): void {
    if (this.isTaken(this.sink?.send(frame) ?? 'dead')) this.count(frame);
  }

  private sendAll(frames: readonly Frame[]): void {
    if (!this.isTaken(this.sink?.sendAll(frames) ?? 'dead')) return;
    for (const frame of frames) this.count(frame);
  }

  private isTaken(outcome: SendOutcome): boolean {
    if (outcome === 'dead') this.closed();
    else if (outcome === 'refused') this.end('failed');
    else {
      this.blocked = outcome === 'buffered';
      this.progressed();
      return true;
    }
    return false;
  }

  private count({ bytes, kind }: Frame): void {
    const { counters } = this.rules;
    counters.deliveredBytes += bytes.byteLength;
    if (kind !== 'control') counters.deliveries += 1;
  }

  private enqueue(frame: Frame): void {
    const waiting = (this.waiting ??= new Map());
    // Whatever comes later of an image, partial or final, says more than a partial that waits.
    const replaced = frame.kind === 'control' ? undefined : waiting.get(frame.imageId);
    if (replaced !== undefined) {
      waiting.delete(frame.imageId);
      this.waitingBytes -= replaced.bytes.byteLength;
      this.rules.counters.conflated += 1;
    }
    const bytes = frame.bytes.byteLength;
    // One that is alone may be larger than the budget, else it could never be sent.
    if (waiting.size > 0 && this.waitingBytes + bytes > this.rules.budgetBytes) return this.end('slow');
    waiting.set(frame.kind === 'partial' ? frame.imageId : frame, frame);
    this.waitingBytes += bytes;
  }

  private finish(): void {
    this.isOver = true;
    this.waiting = undefined;
    this.held = undefined;
    this.waitingBytes = 0;
    this.rules.onOver(this);
    this.release();
  }

  private release(): void {
    const { resume } = this;
    this.resume = undefined;
    resume?.();
  }
}
