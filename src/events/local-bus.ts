/**
 * The bus of a single process: cursors from its own clock, history in memory. Its history begins with
 * the process: an older cursor gets `restarted`.
 */
import type { Clock } from '../core/clock.ts';
import { compareCursors, CURSOR_ZERO, nextCursor } from '../core/cursor.ts';
import type { EventDraft, ImageEvent } from '../core/event.ts';
import { imageTopic } from '../core/topic.ts';
import type { Bus, GapReason, Replay } from './bus.ts';
import { createHistory, type HistoryLimits } from './history.ts';

/** `steady`: what age goes by; see createHistory. */
export function createLocalBus(limits: HistoryLimits, clock: Clock, steady: Clock = clock): Bus {
  const epoch = nextCursor(CURSOR_ZERO, clock.nowMs());
  const history = createHistory(limits, clock, steady);
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
      // A cursor that is not from here says nothing: everything that is here follows.
      const from = compareCursors(since, head) > 0 ? epoch : since;
      const { events, lostThrough } = history.find(filters, from);
      const gap = gapReason(since, lostThrough);
      return { events, since: from, ...(gap === undefined ? {} : { gap }) };
    },
    listen(listener) {
      onEvent = listener;
    },
    async close() {
      onEvent = () => {};
    },
  };
}
