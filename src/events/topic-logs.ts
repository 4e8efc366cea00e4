/**
 * A log for each topic in history, so that the history of one is never read for another's. Remembers
 * what is lost also of topics that have nothing left.
 */
import { compareCursors, CURSOR_ZERO } from '../core/cursor.ts';
import { isPrefixFilter, topicMatches } from '../core/topic.ts';
import { EventLog, type HistoryRecord } from './event-log.ts';

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
  /** Through here, events of topics that have no log any more may be lost. */
  let forgottenThrough = CURSOR_ZERO;

  function change({ event }: HistoryRecord, apply: (log: EventLog) => void): void {
    for (const topic of event.topics) {
      const log = byTopic.get(topic);
      if (log === undefined) continue;
      apply(log);
      if (log.size > 0) continue;
      forgottenThrough = later(forgottenThrough, log.lostThrough);
      byTopic.delete(topic);
    }
  }

  return {
    push(record) {
      for (const topic of record.event.topics) {
        const log = byTopic.get(topic) ?? new EventLog(forgottenThrough);
        byTopic.set(topic, log);
        log.push(record);
      }
    },
    dropFirst: (record) => change(record, (log) => log.dropFirst()),
    remove: (record) => change(record, (log) => log.remove(record)),
    find(filter) {
      if (filter === '*') return { logs: [all], lostThrough: all.lostThrough };
      if (!isPrefixFilter(filter)) {
        const log = byTopic.get(filter);
        return { logs: log === undefined ? [] : [log], lostThrough: log?.lostThrough ?? forgottenThrough };
      }
      const logs: EventLog[] = [];
      for (const [topic, log] of byTopic) if (topicMatches(filter, topic)) logs.push(log);
      return {
        logs,
        lostThrough: logs.reduce((lost, log) => later(lost, log.lostThrough), forgottenThrough),
      };
    },
  };
}
