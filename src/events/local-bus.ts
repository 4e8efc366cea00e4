/**
 * The bus of a single process: cursors from its own clock, history in memory, bounded by count, bytes
 * and age. Its history begins with the process: an older cursor gets `restarted`.
 */
import type { Clock } from '../core/clock.ts';
import { compareCursors, CURSOR_ZERO, cursorTimeMs, nextCursor } from '../core/cursor.ts';
import type { EventDraft, ImageEvent } from '../core/event.ts';
import { imageTopic, isPrefixFilter, topicMatches } from '../core/topic.ts';
import type { Bus, GapReason, Replay } from './bus.ts';
import { EventLog, type HistoryRecord } from './event-log.ts';

export interface HistoryLimits {
  readonly limitEvents: number;
  readonly limitBytes: number;
  readonly maxAgeMs: number;
}

/** What an event costs beyond its texts: objects, and its place in the log of each topic. */
const RECORD_BYTES = 512;
const TOPIC_BYTES = 160;

function later(a: string, b: string): string {
  return compareCursors(a, b) < 0 ? b : a;
}

function sizeOf(event: ImageEvent): number {
  const topicBytes = event.topics.reduce((sum, topic) => sum + topic.length + TOPIC_BYTES, 0);
  return RECORD_BYTES + JSON.stringify(event.data).length + event.thumbnail.length + topicBytes;
}

function createHistory({ limitEvents, limitBytes, maxAgeMs }: HistoryLimits, clock: Clock) {
  const all = new EventLog();
  const byTopic = new Map<string, EventLog>();
  /** The one partial that each unfinished image has in history. */
  const openPartials = new Map<string, HistoryRecord>();
  /** Through here, events of topics that have no log any more are lost. */
  let forgottenThrough = CURSOR_ZERO;
  let bytes = 0;
  let serial = 0;

  function forgetTopic(topic: string, log: EventLog): void {
    forgottenThrough = later(forgottenThrough, log.lostThrough);
    byTopic.delete(topic);
  }

  function evictFirst(record: HistoryRecord): void {
    all.dropFirst();
    bytes -= record.bytes;
    const { id } = record.event.data;
    if (openPartials.get(id) === record) openPartials.delete(id);
    // The oldest of all is the oldest of each of its topics.
    for (const topic of record.event.topics) {
      const log = byTopic.get(topic);
      log?.dropFirst();
      if (log?.size === 0) forgetTopic(topic, log);
    }
  }

  function evict(): void {
    const oldestMs = clock.nowMs() - maxAgeMs;
    for (let { first } = all; first !== undefined; { first } = all) {
      const isOver = all.size > limitEvents || bytes > limitBytes;
      if (!isOver && cursorTimeMs(first.event.cursor) >= oldestMs) return;
      evictFirst(first);
    }
  }

  function removeReplaced(id: string): void {
    const replaced = openPartials.get(id);
    if (replaced === undefined) return;
    openPartials.delete(id);
    all.remove(replaced);
    bytes -= replaced.bytes;
    for (const topic of replaced.event.topics) {
      const log = byTopic.get(topic);
      log?.remove(replaced);
      if (log?.size === 0) forgetTopic(topic, log);
    }
  }

  function keep(event: ImageEvent): void {
    const { id } = event.data;
    removeReplaced(id);
    const record: HistoryRecord = { event, serial: (serial += 1), bytes: sizeOf(event) };
    all.push(record);
    bytes += record.bytes;
    for (const topic of event.topics) {
      const log = byTopic.get(topic) ?? new EventLog(forgottenThrough);
      byTopic.set(topic, log);
      log.push(record);
    }
    if (event.kind === 'partial') openPartials.set(id, record);
    evict();
  }

  /** The logs that hold what the filter matches, and through where some of it is gone. */
  function logsOf(filter: string): { logs: readonly EventLog[]; lostThrough: string } {
    if (filter === '*') return { logs: [all], lostThrough: all.lostThrough };
    if (!isPrefixFilter(filter)) {
      const log = byTopic.get(filter);
      return log === undefined
        ? { logs: [], lostThrough: forgottenThrough }
        : { logs: [log], lostThrough: log.lostThrough };
    }
    const logs: EventLog[] = [];
    for (const [topic, log] of byTopic) if (topicMatches(filter, topic)) logs.push(log);
    return { logs, lostThrough: logs.reduce((lost, log) => later(lost, log.lostThrough), forgottenThrough) };
  }

  return {
    keep,
    find(filters: readonly string[], since: string): { events: ImageEvent[]; lostThrough: string } {
      evict();
      const found = filters.map(logsOf);
      const from = all.serialAt(since);
      const records = new Set(found.flatMap(({ logs }) => logs.flatMap((log) => log.after(from))));
      const ordered = [...records].toSorted((a, b) => a.serial - b.serial);
      const lostThrough = found.reduce((lost, one) => later(lost, one.lostThrough), CURSOR_ZERO);
      return { events: ordered.map(({ event }) => event), lostThrough };
    },
  };
}

export function createLocalBus(limits: HistoryLimits, clock: Clock): Bus {
  const epoch = nextCursor(CURSOR_ZERO, clock.nowMs());
  const history = createHistory(limits, clock);
  let head = epoch;
  let onEvent: (event: ImageEvent) => void = () => {};

  function gapReason(since: string, lostThrough: string): GapReason | undefined {
    if (compareCursors(since, head) > 0) return 'ahead';
    if (compareCursors(since, epoch) < 0) return 'restarted';
    return compareCursors(since, lostThrough) < 0 ? 'evicted' : undefined;
  }

  return {
    head: () => head,
    async publish(draft: EventDraft): Promise<ImageEvent> {
      head = nextCursor(head, clock.nowMs());
      const topics = [...new Set([imageTopic(draft.data.id), ...draft.data.topics])];
      const event: ImageEvent = { ...draft, cursor: head, topics };
      history.keep(event);
      onEvent(event);
      return event;
    },
    async replay(filters, since): Promise<Replay> {
      const isAhead = compareCursors(since, head) > 0;
      // A cursor that is not from here says nothing: everything there is follows.
      const { events, lostThrough } = history.find(filters, isAhead ? CURSOR_ZERO : since);
      const gap = gapReason(since, lostThrough);
      return gap === undefined ? { events, since } : { events, since: later(epoch, lostThrough), gap };
    },
    listen(listener) {
      onEvent = listener;
    },
    async close() {
      onEvent = () => {};
    },
  };
}
