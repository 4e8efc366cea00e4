/**
 * The position of an event: `milliseconds-sequence`, the id of a Redis Stream, so that cursors of one
 * process, of the next after a restart, and of a stream compare alike.
 */

export const CURSOR_ZERO = '0-0';
const SHAPE = /^(\d{1,15})-(\d{1,15})$/;

export function isCursor(text: string): boolean {
  return SHAPE.test(text);
}

function parts(cursor: string): [number, number] {
  const match = SHAPE.exec(cursor);
  return match === null ? [0, 0] : [Number(match[1]), Number(match[2])];
}

/** Milliseconds since the epoch at which the event of this cursor was made. */
export function cursorTimeMs(cursor: string): number {
  return parts(cursor)[0];
}

/** Negative, zero or positive, as `a` is before, at or after `b`. */
export function compareCursors(a: string, b: string): number {
  const [aMs, aSeq] = parts(a);
  const [bMs, bSeq] = parts(b);
  return aMs - bMs || aSeq - bSeq;
}

/** The cursor after `previous` at `nowMs`; never goes back, even when the clock does. */
export function nextCursor(previous: string, nowMs: number): string {
  const [ms, seq] = parts(previous);
  return nowMs > ms ? `${nowMs}-0` : `${ms}-${seq + 1}`;
}
