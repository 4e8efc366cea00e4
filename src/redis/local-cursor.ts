/**
 * Cursors of events that Redis did not number, because it was away. They lie in time where such an event
 * would have been, and can be told from those of the stream by every instance. Pure.
 */
import { cursorTimeMs } from '../core/cursor.ts';

/** Redis never numbers so many events of one millisecond. */
const FIRST_SEQUENCE = 1_000_000_000;

function sequenceOf(cursor: string): number {
  return Number(cursor.slice(cursor.indexOf('-') + 1));
}

export function isLocalCursor(cursor: string): boolean {
  return sequenceOf(cursor) >= FIRST_SEQUENCE;
}

/** The one after `previous`, of either kind; `nowMs` on the clock of Redis as far as that is known. */
export function nextLocalCursor(previous: string, nowMs: number): string {
  const previousMs = cursorTimeMs(previous);
  if (nowMs > previousMs) return `${nowMs}-${FIRST_SEQUENCE}`;
  return `${previousMs}-${Math.max(sequenceOf(previous) + 1, FIRST_SEQUENCE)}`;
}
