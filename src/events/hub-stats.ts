/** Readings of the hub for /admin/stats, /metrics and the dashboard. Pure: everything is handed in. */
import type { EventCounters } from './event-counters.ts';
import type { FrameMode } from './sink.ts';
import type { Subscriber } from './subscriber.ts';

export interface HubStats extends Readonly<EventCounters> {
  readonly subscribers: number;
  readonly byTransport: Readonly<Record<FrameMode['transport'], number>>;
  /** Different topics and patterns that are followed. */
  readonly topics: number;
  /** Bytes of frames that wait, each reader's counted: frames are shared, so memory holds less. */
  readonly waitingBytes: number;
  /** Readers that can't take more at the moment. */
  readonly blocked: number;
  /** Readers that are still being given history. */
  readonly behind: number;
}

/** One row of the dashboard's list of slow readers. */
export interface SlowReader {
  readonly client: string;
  readonly transport: FrameMode['transport'];
  readonly bytes: number;
  readonly stalled_ms: number;
  readonly topics: readonly string[];
}

export interface TopicRow {
  readonly topic: string;
  readonly subscribers: number;
}

type Members = ReadonlyMap<Subscriber, { readonly mode: FrameMode }>;

export function readStats(members: Members, topics: number, counters: EventCounters): HubStats {
  const byTransport = { sse: 0, 'ws-json': 0, 'ws-binary': 0 };
  let waitingBytes = 0;
  let blocked = 0;
  let behind = 0;
  for (const [subscriber, { mode }] of members) {
    byTransport[mode.transport] += 1;
    waitingBytes += subscriber.waitingBytes;
    if (subscriber.isBlocked) blocked += 1;
    if (subscriber.held !== undefined) behind += 1;
  }
  const cut = { ...counters.cut };
  return { ...counters, cut, subscribers: members.size, byTransport, topics, waitingBytes, blocked, behind };
}

export function slowestOf(members: Members, count: number): readonly SlowReader[] {
  return [...members.keys()]
    .filter(({ isBlocked }) => isBlocked)
    .toSorted((a, b) => b.waitingBytes - a.waitingBytes || b.stalledMs - a.stalledMs)
    .slice(0, count)
    .map((subscriber) => ({
      client: subscriber.terms.client,
      transport: members.get(subscriber)?.mode.transport ?? 'sse',
      bytes: subscriber.waitingBytes,
      stalled_ms: subscriber.stalledMs,
      topics: subscriber.follows.map(({ filter }) => filter),
    }));
}
