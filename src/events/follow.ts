/** A filter that a stream follows, and which stretch of time its reader has had of it. Pure. */
import { compareCursors } from '../core/cursor.ts';
import type { ImageEvent } from '../core/event.ts';
import { topicMatches } from '../core/topic.ts';

export interface Follow {
  readonly filter: string;
  /** Where the stretch begins: nothing at or before it is owed. */
  start: string;
  /** Through here, everything that matches has been given. Kept up only while the stream is behind. */
  through: string;
  /** Whether history has to be asked for what lies after `through`. */
  owes: boolean;
}

/** Whether the reader should be given this event: followed, not before its start, and not given already. */
export function isOwed(follows: readonly Follow[], event: ImageEvent): boolean {
  let owed = false;
  for (const { filter, start, through } of follows) {
    if (!event.topics.some((topic) => topicMatches(filter, topic))) continue;
    if (compareCursors(event.cursor, through) > 0) owed = true;
    else if (compareCursors(event.cursor, start) > 0) return false;
  }
  return owed;
}
