/**
 * One step of reading the stream of events, and what it has to find out before: from where this instance
 * stands, in order, each entry once. When to take a step is the follower's business.
 */
import type { Clock } from '../core/clock.ts';
import { deadline } from './deadline.ts';
import { READ_COUNT, type EventStream, type StreamEntry, type StreamState } from './event-stream.ts';
import type { RedisClient } from './redis-client.ts';
import { advance, positionOf, standingOf, type Standing, type StreamPosition } from './stream-position.ts';

export interface ReaderOptions {
  readonly timeoutMs: number;
  /** Longest that one read waits for an event. */
  readonly blockMs: number;
  readonly trimEveryMs: number;
}

export interface ReaderDeps {
  /** For nothing else: a blocking read holds up what comes after it. */
  readonly client: RedisClient;
  readonly stream: EventStream;
  readonly clock: Clock;
}

export interface ReaderListener {
  readonly onEntry: (entry: StreamEntry) => void;
  /** The past is to be made anew up to `position`. `why` is undefined the first time. */
  readonly onRestart: (position: StreamPosition, began: string, why: Standing | undefined) => Promise<void>;
  /** Something was lost that can't be read any more; the past up to here stands. */
  readonly onLost: () => void;
  /** Whether `onIdle` is to be called before the next wait. */
  readonly isWaiting: () => boolean;
  /** All that is in the stream has been read. */
  readonly onIdle: (position: StreamPosition, began: string) => Promise<void>;
}

export interface StreamReader {
  /** After each connection: does what comes next still follow? */
  sync(): Promise<void>;
  read(): Promise<void>;
  /** The newest entry that was given; undefined before the first sync. */
  lastId(): string | undefined;
  redisNowMs(): number;
}

/** A read that does not wait. Zero would wait for ever. */
const NO_WAIT_MS = 1;
/** While events keep coming. */
const CHECK_EVERY_MS = 1000;

export function createStreamReader(
  options: ReaderOptions,
  deps: ReaderDeps,
  listener: ReaderListener,
): StreamReader {
  const { client, stream, clock } = deps;
  let position: StreamPosition | undefined;
  let began = '';
  let offsetMs = 0;
  let trimAtMs = 0;
  let checkAtMs = 0;

  const call = async <T>(work: Promise<T>): Promise<T> => deadline(work, options.timeoutMs);
  const redisNowMs = (): number => clock.nowMs() + offsetMs;

  async function restart(state: StreamState | undefined, why: Standing | undefined): Promise<void> {
    const from = positionOf(state, began);
    await listener.onRestart(from, began, why);
    position = from;
  }

  /** `mayMiss`: this reader was not listening for a while. */
  async function checkStanding(from: StreamPosition, mayMiss: boolean): Promise<void> {
    const state = await call(stream.state(client));
    const standing = standingOf(from, state);
    if (standing === 'behind' || standing === 'rewound') return restart(state, standing);
    if (standing === 'gone') {
      if (mayMiss) listener.onLost();
      position = { ...from, ordinal: 0 };
    }
  }

  /** Another instance may trim, or Redis may not allow it: reading goes on. */
  async function trim(): Promise<void> {
    if (clock.nowMs() < trimAtMs) return;
    trimAtMs = clock.nowMs() + options.trimEveryMs;
    await call(stream.trim(client, redisNowMs())).catch(() => undefined);
  }

  return {
    async sync() {
      // Taken when the answer arrives, so that it is never ahead of the clock of Redis.
      offsetMs = (await call(stream.nowMs(client))) - clock.nowMs();
      began = await call(stream.began(client, redisNowMs()));
      if (position === undefined) await restart(await call(stream.state(client)), undefined);
      else await checkStanding(position, true);
    },
    async read() {
      if (position === undefined) throw new TypeError('read before sync');
      const blockMs = listener.isWaiting() ? NO_WAIT_MS : options.blockMs;
      const reading = stream.readAfter(client, position.id, blockMs);
      const entries = await deadline(reading, blockMs + options.timeoutMs);
      for (const entry of entries) {
        position = advance(position, entry.id);
        listener.onEntry(entry);
      }
      if (entries.length === 0 && listener.isWaiting()) await listener.onIdle(position, began);
      await trim();
      // Silent: it may be another stream, that ends before here. Full: it may be trimmed faster than it is read.
      const isOrdinary = entries.length > 0 && entries.length < READ_COUNT && clock.nowMs() < checkAtMs;
      if (isOrdinary) return;
      checkAtMs = clock.nowMs() + CHECK_EVERY_MS;
      await checkStanding(position, false);
    },
    lastId: () => position?.id,
    redisNowMs,
  };
}
