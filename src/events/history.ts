/**
 * Events of the past, bounded by count, bytes and age: every final, and one partial of each unfinished
 * image, since a newer one makes the older worthless. Knows what it has lost.
 */
import type { Clock } from '../core/clock.ts';
import { compareCursors, CURSOR_ZERO, cursorTimeMs } from '../core/cursor.ts';
import type { ImageEvent } from '../core/event.ts';
import { EventLog, type HistoryRecord } from './event-log.ts';
import { createTopicLogs } from './topic-logs.ts';

export interface HistoryLimits {
  readonly limitEvents: number;
  readonly limitBytes: number;
  readonly maxAgeMs: number;
}

export interface History {
  keep(event: ImageEvent): void;
  /** What any of the filters matches after `since`, in order; something at or before `lostThrough` is gone. */
  find(filters: readonly string[], since: string): { events: readonly ImageEvent[]; lostThrough: string };
}

/** What an event costs beyond its texts: objects, and its place in the log of each topic. */
const RECORD_BYTES = 512;
const TOPIC_BYTES = 160;

function sizeOf(event: ImageEvent): number {
  const topicBytes = event.topics.reduce((sum, topic) => sum + topic.length + TOPIC_BYTES, 0);
  return RECORD_BYTES + JSON.stringify(event.data).length + event.thumbnail.length + topicBytes;
}

/** `steady`: what age goes by, so that setting the clock an hour ahead does not empty history. */
export function createHistory(limits: HistoryLimits, clock: Clock, steady: Clock = clock): History {
  const all = new EventLog();
  const topics = createTopicLogs(all);
  /** The one partial that each unfinished image has in history. */
  const openPartials = new Map<string, HistoryRecord>();
  let bytes = 0;
  let serial = 0;

  function evictFirst(record: HistoryRecord): void {
    const { id } = record.event.data;
    if (openPartials.get(id) === record) openPartials.delete(id);
    all.dropFirst();
    topics.dropFirst(record);
    bytes -= record.bytes;
  }

  function evict(): void {
    const oldestMs = steady.nowMs() - limits.maxAgeMs;
    for (let { first } = all; first !== undefined; { first } = all) {
      const isOver = all.size > limits.limitEvents || bytes > limits.limitBytes;
      if (!isOver && first.madeAtMs >= oldestMs) return;
      evictFirst(first);
    }
  }

  function removeReplaced(id: string): void {
    const replaced = openPartials.get(id);
    if (replaced === undefined) return;
    openPartials.delete(id);
    all.remove(replaced);
    topics.remove(replaced);
    bytes -= replaced.bytes;
  }

  return {
    keep(event) {
      const { id } = event.data;
      removeReplaced(id);
      serial += 1;
      // One that was read back was made before now, as its cursor says.
      const madeAtMs = steady.nowMs() - Math.max(0, clock.nowMs() - cursorTimeMs(event.cursor));
      const record: HistoryRecord = { event, serial, bytes: sizeOf(event), madeAtMs };
      all.push(record);
      topics.push(record);
      bytes += record.bytes;
      if (event.kind === 'partial') openPartials.set(id, record);
      evict();
    },
    find(filters, since) {
      evict();
      const found = filters.map(topics.find);
      const from = all.serialAt(since);
      const records = new Set(found.flatMap(({ logs }) => logs.flatMap((log) => log.after(from))));
      const events = [...records].toSorted((a, b) => a.serial - b.serial).map(({ event }) => event);
      const lost = found.map(({ lostThrough }) => lostThrough).toSorted(compareCursors);
      return { events, lostThrough: lost.at(-1) ?? CURSOR_ZERO };
    },
  };
}
