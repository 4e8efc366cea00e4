/**
 * Turns what another program does to an image in Redis into one announcement over all instances: each
 * hears of the change, one of them looks after the image and has it announced. Bounded: of changes that
 * come faster than they are looked at, the newest of each image counts.
 */
import type { ImageStates } from './image-state.ts';
import { createLookAfter, type AnnounceFlow } from './look-after.ts';

export interface AnnouncerOptions {
  /** Images that may wait to be looked at; beyond, the one that waits longest is forgotten. */
  readonly queueMax: number;
  readonly concurrency: number;
  /** For all that is done about one change. */
  readonly timeoutMs: number;
  /** Between two attempts at one change. */
  readonly retryMs: number;
}

export interface AnnouncerStats {
  readonly queued: number;
  readonly running: number;
  readonly ready: number;
  readonly deleted: number;
  /** Looked after by another instance, or nothing new. */
  readonly passed: number;
  readonly dropped: number;
  readonly failed: number;
}

export interface Announcer {
  /** Somebody changed the image in Redis. Costs nothing here. */
  changed(id: string): void;
  /** Whether a change of it is being announced: whoever reads it now does that for its preview. */
  isLookingAfter(id: string): boolean;
  stats(): AnnouncerStats;
  /** Lets what is under way end; nothing new is begun. */
  close(): Promise<void>;
}

const ATTEMPTS_MAX = 3;

export function createAnnouncer(
  options: AnnouncerOptions,
  deps: {
    readonly states: ImageStates;
    readonly flow: AnnounceFlow;
    readonly onFailed: (id: string, error: unknown) => void;
  },
): Announcer {
  /** In the order in which they wait. */
  const waiting = new Set<string>();
  const running = new Map<string, Promise<void>>();
  /** Of images whose last attempt failed; as many as were running when it did, and a timer for each. */
  const attempts = new Map<string, number>();
  const counts = { ready: 0, deleted: 0, passed: 0, dropped: 0, failed: 0 };
  let isClosed = false;

  const lookAfter = createLookAfter(deps.states, deps.flow, (id) => waiting.has(id));

  /** Workers may have been busy, Redis away for a moment. */
  function retry(id: string): void {
    const attempt = (attempts.get(id) ?? 0) + 1;
    if (attempt >= ATTEMPTS_MAX) attempts.delete(id);
    else {
      attempts.set(id, attempt);
      setTimeout(() => changed(id), options.retryMs).unref();
    }
  }

  async function run(id: string): Promise<void> {
    try {
      counts[await lookAfter(id, AbortSignal.timeout(options.timeoutMs))] += 1;
      attempts.delete(id);
    } catch (error) {
      counts.failed += 1;
      deps.onFailed(id, error);
      retry(id);
    } finally {
      running.delete(id);
      pump();
    }
  }

  function pump(): void {
    for (const id of waiting) {
      if (running.size >= options.concurrency || isClosed) return;
      // One after the other for one image.
      if (running.has(id)) continue;
      waiting.delete(id);
      running.set(id, run(id));
    }
  }

  function changed(id: string): void {
    if (isClosed) return;
    waiting.add(id);
    const [oldest] = waiting;
    if (waiting.size > options.queueMax && oldest !== undefined) {
      waiting.delete(oldest);
      counts.dropped += 1;
    }
    pump();
  }

  return {
    changed,
    isLookingAfter: (id) => running.has(id),
    stats: () => ({ queued: waiting.size, running: running.size, ...counts }),
    async close() {
      isClosed = true;
      waiting.clear();
      await Promise.all(running.values());
    },
  };
}
