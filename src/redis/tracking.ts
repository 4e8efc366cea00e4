/**
 * Client tracking as Redis 6 and later have it, in broadcast mode, redirected to a second connection: the
 * commands, and the proof that they work. When to send them is the invalidation channel's business.
 */
import type { Redis } from 'ioredis';
import { deadline, delay } from './deadline.ts';

export interface TrackingOptions {
  /** The connection that writes: what it writes itself is not told back to it. */
  readonly data: Redis;
  /** `protocol: 2` and `autoResubscribe: false`: with any other, nothing arrives and nothing fails. */
  readonly subscriber: Redis;
  /** May not overlap: Redis refuses that. */
  readonly prefixes: readonly string[];
  /** A key under one of the prefixes, of this instance alone. */
  readonly probeKey: string;
  readonly deadlineMs: number;
}

export interface Tracking {
  /** Turns it on and sees a change arrive. Rejects otherwise. */
  begin(): Promise<void>;
  /** Whether Redis would still tell a change. Rejects when it does not answer. */
  isOn(): Promise<boolean>;
  /** The subscriber's connection closed. */
  forget(): void;
  /** A key that was told of; true: it was the probe. */
  isProbe(redisKey: string): boolean;
}

export const INVALIDATION_CHANNEL = '__redis__:invalidate';
/** Redis keeps time in milliseconds: after these the probe has expired on any clock. */
const PROBE_EXPIRED_MS = 5;
/** Redis may refuse this write and still be read from: full, a replica, no disk, no permission, another node’s slot. */
const WRITE_REFUSED = /^(OOM|READONLY|MISCONF|NOPERM|NOREPLICAS|MOVED)/;

export function createTracking(options: TrackingOptions): Tracking {
  const { data, subscriber, deadlineMs, probeKey } = options;
  /** What Redis calls the subscriber's connection; it can't be asked once it has subscribed. */
  let subscriberId: number | undefined;
  let probeHeard: (() => void) | undefined;

  async function subscribe(): Promise<number> {
    if (subscriberId !== undefined) return subscriberId;
    const id = await deadline(subscriber.client('ID'), deadlineMs);
    await deadline(subscriber.subscribe(INVALIDATION_CHANNEL), deadlineMs);
    subscriberId = id;
    return id;
  }

  /**
   * A key of ours that expires is the server's doing, so it is told even to the connection that wrote it.
   * A redirection to a wrong connection (the same number on another server) fails here and only here.
   */
  async function probe(): Promise<void> {
    const heard = new Promise<void>((resolve) => (probeHeard = resolve));
    try {
      await deadline(data.set(probeKey, '', 'PX', 1), deadlineMs);
      await delay(PROBE_EXPIRED_MS);
      await deadline(data.get(probeKey), deadlineMs);
      await deadline(heard, deadlineMs);
    } catch (error) {
      if (!(error instanceof Error && WRITE_REFUSED.test(error.message))) throw error;
    } finally {
      probeHeard = undefined;
    }
  }

  return {
    async begin() {
      const id = await subscribe();
      const prefixes = options.prefixes.flatMap((prefix) => ['PREFIX', prefix]);
      // ON again without OFF is refused: the prefixes would overlap with themselves.
      await deadline(data.call('CLIENT', 'TRACKING', 'OFF'), deadlineMs);
      const on = ['TRACKING', 'ON', 'REDIRECT', String(id), 'BCAST', ...prefixes, 'NOLOOP'];
      await deadline(data.call('CLIENT', ...on), deadlineMs);
      await probe();
    },
    async isOn() {
      const info: unknown = await deadline(data.call('CLIENT', 'TRACKINGINFO'), deadlineMs);
      const [, flags, , redirect]: unknown[] = Array.isArray(info) ? info : [];
      if (!Array.isArray(flags) || flags.includes('broken_redirect')) return false;
      return flags.includes('bcast') && Number(redirect) === subscriberId;
    },
    forget() {
      subscriberId = undefined;
    },
    isProbe(redisKey) {
      if (redisKey !== probeKey) return false;
      probeHeard?.();
      return true;
    },
  };
}
