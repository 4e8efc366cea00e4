/**
 * Hears which keys anybody changed in Redis, and says when it is deaf: a state machine over the two
 * connections that tracking needs. What is trusted meanwhile is decided elsewhere.
 */
import type { Redis } from 'ioredis';
import { deadline } from './deadline.ts';
import { createTracking, INVALIDATION_CHANNEL, type Tracking, type TrackingOptions } from './tracking.ts';

export interface InvalidationOptions extends TrackingOptions {
  readonly heartbeatMs: number;
}

export interface InvalidationListener {
  readonly onInvalidate: (redisKey: string) => void;
  /** FLUSHALL, FLUSHDB. */
  readonly onInvalidateAll: () => void;
  /** Changes may be missed from now on. Not said before the first onArmed, when that is so anyway. */
  readonly onLost: (reason: string) => void;
  /** From now on each change is heard. What was kept since onLost is to be forgotten first. */
  readonly onArmed: () => void;
}

export interface InvalidationStats {
  readonly armed: boolean;
  readonly invalidations: number;
  readonly flushes: number;
  readonly losses: number;
}

export interface Invalidation {
  start(): void;
  isArmed(): boolean;
  stats(): InvalidationStats;
  close(): void;
}

export function createInvalidation(
  options: InvalidationOptions,
  listener: InvalidationListener,
): Invalidation {
  const { data, subscriber } = options;
  const tracking = createTracking(options);
  const counts = { invalidations: 0, flushes: 0, losses: 0 };
  let isArmed = false;
  let isArming = false;
  let isClosed = false;
  /** It failed since the last heartbeat: the next one tries again, so that a refusal is not a busy loop. */
  let isResting = false;
  /** Counts closed connections: what was begun before the latest says nothing about now. */
  let epoch = 0;

  function lose(reason: string): void {
    epoch += 1;
    if (!isArmed) return;
    isArmed = false;
    counts.losses += 1;
    listener.onLost(reason);
  }

  async function arm(): Promise<void> {
    const areReady = data.status === 'ready' && subscriber.status === 'ready';
    if (isClosed || isArming || isArmed || isResting || !areReady) return;
    isArming = true;
    const began = epoch;
    try {
      await tracking.begin();
      isArmed = began === epoch && !isClosed;
      if (isArmed) listener.onArmed();
    } catch {
      isResting = true;
      // With a new connection nothing of the attempt is left.
      if (began === epoch) subscriber.disconnect(true);
    } finally {
      isArming = false;
    }
    if (began !== epoch) await arm();
  }

  async function beat(): Promise<void> {
    isResting = false;
    if (!isArmed) return arm();
    const began = epoch;
    const faults = await findFaults(options, tracking);
    if (began !== epoch || isClosed) return;
    for (const { reason, connection } of faults) {
      lose(reason);
      connection?.disconnect(true);
    }
    if (faults.length > 0) await arm();
  }

  const connections = listenTo(options, tracking, {
    ready: () => void arm(),
    closed: lose,
    messageBuffer: createReceiver(tracking, listener, counts),
  });
  const heartbeat = setInterval(() => void beat(), options.heartbeatMs).unref();
  return {
    start() {
      connections.attach();
      void arm();
    },
    isArmed: () => isArmed,
    stats: () => ({ armed: isArmed, ...counts }),
    close() {
      isClosed = true;
      clearInterval(heartbeat);
      connections.detach();
    },
  };
}

interface ConnectionEvents {
  readonly ready: () => void;
  readonly closed: (reason: string) => void;
  readonly messageBuffer: (channel: Buffer, message: unknown) => void;
}

function listenTo(
  { data, subscriber }: TrackingOptions,
  tracking: Tracking,
  on: ConnectionEvents,
): { attach(): void; detach(): void } {
  const dataClosed = (): void => on.closed('the data connection closed');
  const subscriberClosed = (): void => {
    tracking.forget();
    on.closed('the invalidation connection closed');
  };
  return {
    attach() {
      data.on('ready', on.ready).on('close', dataClosed);
      subscriber.on('ready', on.ready).on('close', subscriberClosed).on('messageBuffer', on.messageBuffer);
    },
    detach() {
      data.off('ready', on.ready).off('close', dataClosed);
      subscriber.off('ready', on.ready).off('close', subscriberClosed);
      subscriber.off('messageBuffer', on.messageBuffer);
    },
  };
}

/** Of all reasons the one that says most: Redis itself was asked. */
export const DATA_UNANSWERED = 'the data connection does not answer';

interface Fault {
  readonly reason: string;
  /** To be made anew. */
  readonly connection?: Redis;
}

/** A frozen server and a cut cable close no connection: only an answer says that somebody is there. */
async function findFaults(options: InvalidationOptions, tracking: Tracking): Promise<readonly Fault[]> {
  const { data, subscriber, deadlineMs } = options;
  const pong = deadline(subscriber.ping(), deadlineMs);
  const [heard, tracked] = await Promise.allSettled([pong, tracking.isOn()]);
  const faults: Fault[] = [];
  if (tracked.status === 'rejected') {
    faults.push({ reason: DATA_UNANSWERED, connection: data });
  } else if (!tracked.value) {
    faults.push({ reason: 'Redis does not track any more' });
  }
  if (heard.status === 'rejected') {
    faults.push({ reason: 'the invalidation connection does not answer', connection: subscriber });
  }
  return faults;
}

/** Of `messageBuffer`, never of `message`, which joins the keys with commas: an array of keys, or null for all. */
function createReceiver(
  tracking: Tracking,
  listener: InvalidationListener,
  counts: { invalidations: number; flushes: number },
): (channel: Buffer, message: unknown) => void {
  return (channel, message) => {
    if (channel.toString() !== INVALIDATION_CHANNEL) return;
    if (!Array.isArray(message)) {
      counts.flushes += 1;
      listener.onInvalidateAll();
      return;
    }
    for (const key of message) {
      const redisKey = String(key);
      if (tracking.isProbe(redisKey)) continue;
      counts.invalidations += 1;
      listener.onInvalidate(redisKey);
    }
  };
}
