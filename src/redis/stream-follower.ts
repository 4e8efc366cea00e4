/**
 * Keeps reading the stream of events for as long as this instance lives, and comes back after every
 * fault; tells those who wait for an event that it has been given.
 */
import { compareCursors } from '../core/cursor.ts';
import { deadline, delay, LateError } from './deadline.ts';
import {
  createStreamReader,
  type ReaderDeps,
  type ReaderListener,
  type ReaderOptions,
} from './stream-reader.ts';

export interface FollowerOptions extends ReaderOptions {
  /** Between a fault and the next attempt. */
  readonly retryMs: number;
}

export interface StreamFollower {
  /** Resolves when it stands somewhere, or could not get there the first time. Never rejects. */
  start(): Promise<void>;
  isUp(): boolean;
  /** Resolves when the entry of this id has been given, rejects after the time. */
  reach(id: string, timeoutMs: number): Promise<void>;
  /** Milliseconds since the epoch on the clock of Redis, never ahead of it. */
  redisNowMs(): number;
  close(): Promise<void>;
}

export interface FollowerListener extends ReaderListener {
  /** It reads now, or it does not. Once per change. */
  readonly onUp: (isUp: boolean, reason: string) => void;
}

export function createStreamFollower(
  options: FollowerOptions,
  deps: ReaderDeps,
  listener: FollowerListener,
): StreamFollower {
  const { client } = deps;
  const reader = createStreamReader(options, deps, listener);
  const waiters = createWaiters(reader.lastId);
  let isUp = false;
  let isClosed = false;
  let running: Promise<void> | undefined;

  function setUp(isNow: boolean, reason: string): void {
    if (isNow === isUp) return;
    isUp = isNow;
    listener.onUp(isNow, reason);
  }

  async function follow(onFirst: () => void): Promise<void> {
    while (!isClosed) {
      try {
        await reader.sync();
        setUp(true, '');
        onFirst();
        waiters.wake();
        while (!isClosed) {
          await reader.read();
          waiters.wake();
        }
      } catch (error) {
        // Closing it is no fault.
        if (!isClosed) setUp(false, error instanceof Error ? error.message : String(error));
        onFirst();
        // A frozen server closes no connection: only a new one says whether it is back.
        if (!isClosed && error instanceof LateError) client.disconnect(true);
        if (!isClosed) await delay(options.retryMs);
      }
    }
  }

  return {
    async start() {
      return new Promise((resolve) => {
        running = follow(resolve);
      });
    },
    isUp: () => isUp,
    reach: async (id, timeoutMs) => deadline(waiters.reached(id), timeoutMs),
    redisNowMs: reader.redisNowMs,
    async close() {
      isClosed = true;
      isUp = false;
      client.disconnect();
      await running;
    },
  };
}

interface Waiters {
  reached(id: string): Promise<void>;
  wake(): void;
}

function createWaiters(lastId: () => string | undefined): Waiters {
  const waiting = new Set<{ readonly id: string; readonly resolve: () => void }>();
  const isReached = (id: string): boolean => {
    const last = lastId();
    return last !== undefined && compareCursors(last, id) >= 0;
  };
  return {
    async reached(id) {
      if (isReached(id)) return;
      await new Promise<void>((resolve) => {
        waiting.add({ id, resolve });
      });
    },
    wake() {
      for (const waiter of waiting) {
        if (!isReached(waiter.id)) continue;
        waiting.delete(waiter);
        waiter.resolve();
      }
    },
  };
}
