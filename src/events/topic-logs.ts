/**
 * A log for each topic in history, so that the history of one is never read for another's. Remembers
 * what is lost also of topics that have nothing left.
 */
import { compareCursors } from '../core/cursor.ts';
import { isPrefixFilter, topicMatches } from '../core/topic.ts';
import { EventLog, type HistoryRecord } from './event-log.ts';
import { createForgottenTopics } from './forgotten-topics.ts';

export interface FoundLogs {
  readonly logs: readonly EventLog[];
  /** Something at or before it that the filter matches may be gone. */
  readonly lostThrough: string;
}

export interface TopicLogs {
  push(record: HistoryRecord): void;
  /** The oldest of all events is the oldest of each of its topics. */
  dropFirst(record: HistoryRecord): void;
  remove(record: HistoryRecord): void;
  find(filter: string): FoundLogs;
}

function later(a: string, b: string): string {
  return compareCursors(a, b) < 0 ? b : a;
}

export function createTopicLogs(all: EventLog): TopicLogs {
  const byTopic = new Map<string, EventLog>();
  const forgotten = createForgottenTopics();

  function change({ event }: HistoryRecord, apply: (log: EventLog) => void): void {
    for (const topic of event.topics) {
      const log = byTopic.get(topic);
      if (log === undefined) continue;
      apply(log);
      if (log.size > 0) continue;
      forgotten.add(topic, log.lostThrough);
      byTopic.delete(topic);
    }
  }

  return {
    push(record) {
      for (const topic of record.event.topics) {
        const log = byTopic.get(topic) ?? new EventLog(forgotten.lostThrough(topic));
        byTopic.set(topic, log);
        log.push(record);
      }
    },
    dropFirst: (record) => change(record, (log) => log.dropFirst()),
    remove: (record) => change(record, (log) => log.remove(record)),
    find(filter) {
      if (filter === '*') return { logs: [all], lostThrough: all.lostThrough };
      const lostThrough = forgotten.lostThrough(filter);
      if (!isPrefixFilter(filter)) {
        const log = byTopic.get(filter);
        return log === undefined ? { logs: [], lostThrough } : { logs: [log], lostThrough: log.lostThrough };
      }
      const logs: EventLog[] = [];
      for (const [topic, log] of byTopic) if (topicMatches(filter, topic)) logs.push(log);
      return { logs, lostThrough: logs.reduce((lost, log) => later(lost, log.lostThrough), lostThrough) };
    },
  };
}
