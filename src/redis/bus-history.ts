/**
 * The past of the stream, mirrored in memory, so that a crowd that reconnects costs Redis nothing: which
 * events it has, from where on it is whole, and what to say to a cursor from before that.
 */
import { compareCursors, CURSOR_ZERO } from '../core/cursor.ts';
import type { ImageEvent } from '../core/event.ts';
import type { GapReason, Replay } from '../events/bus.ts';
import type { History } from '../events/history.ts';
import { isLocalCursor } from './local-cursor.ts';

/** Where a history begins, and why not before. */
export interface Beginning {
  readonly cursor: string;
  readonly reason: 'evicted' | 'restarted';
}

export interface BusHistory {
  keep(event: ImageEvent): void;
  /** Everything anew. */
  begin(at: Beginning, events: readonly ImageEvent[], head: string): void;
  head(): string;
  /** `isOutage`: the local cursors are those of an outage that goes on. */
  replay(filters: readonly string[], since: string, isOutage: boolean): Replay;
}

export function createBusHistory(create: () => History): BusHistory {
  let history = create();
  let beginning: Beginning = { cursor: CURSOR_ZERO, reason: 'restarted' };
  let head = CURSOR_ZERO;

  function gapReason(since: string, lostThrough: string, isOutage: boolean): GapReason | undefined {
    // Given out here or elsewhere while Redis was away: what others published then is not after it.
    if (isLocalCursor(since) && !isOutage) return 'disconnected';
    if (compareCursors(since, head) > 0) return 'ahead';
    if (compareCursors(since, beginning.cursor) < 0) return beginning.reason;
    return compareCursors(since, lostThrough) < 0 ? 'evicted' : undefined;
  }

  return {
    keep(event) {
      history.keep(event);
      head = event.cursor;
    },
    begin(at, events, newHead) {
      beginning = at;
      history = create();
      for (const event of events) history.keep(event);
      head = newHead;
    },
    head: () => head,
    replay(filters, since, isOutage) {
      // A cursor from ahead of all says nothing: everything that is here follows.
      const from = compareCursors(since, head) > 0 ? beginning.cursor : since;
      const { events, lostThrough } = history.find(filters, from);
      const gap = gapReason(since, lostThrough, isOutage);
      return { events, since: from, ...(gap === undefined ? {} : { gap }) };
    },
  };
}
