/** Plain counters of the event side; read when somebody scrapes. */
import type { CloseReason } from './sink.ts';

export interface EventCounters {
  published: number;
  deliveries: number;
  deliveredBytes: number;
  /** Partials that a newer event of their image replaced while they waited. */
  conflated: number;
  replayed: number;
  gaps: number;
  heartbeats: number;
  /** Streams that their reader ended. */
  left: number;
  /** Streams that were ended here. */
  readonly cut: Record<CloseReason, number>;
  inlineLoads: number;
  /** Events that went out without their image, since it was not there in time. */
  inlineMissed: number;
  /** From the cursor of an event to the end of its last delivery. */
  lagLastMs: number;
  lagMaxMs: number;
}

export function createEventCounters(): EventCounters {
  return {
    published: 0,
    deliveries: 0,
    deliveredBytes: 0,
    conflated: 0,
    replayed: 0,
    gaps: 0,
    heartbeats: 0,
    left: 0,
    cut: { slow: 0, stalled: 0, shutdown: 0, lifetime: 0, expired: 0, forbidden: 0, failed: 0 },
    inlineLoads: 0,
    inlineMissed: 0,
    lagLastMs: 0,
    lagMaxMs: 0,
  };
}
