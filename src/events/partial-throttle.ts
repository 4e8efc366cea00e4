/**
 * At most one partial of an image in an interval: the newest wins, finals never wait. Stands before the
 * bus, so that neither history nor any other instance sees what nobody needs.
 */
import type { EventDraft } from '../core/event.ts';

export interface PartialThrottle {
  /** Resolves when the event is published, or when it is certain that a newer one will be. */
  publish(draft: EventDraft): Promise<void>;
  dropped(): number;
  close(): void;
}

interface Slot {
  waiting: EventDraft | undefined;
  timer: NodeJS.Timeout;
}

export function createPartialThrottle(
  publish: (draft: EventDraft) => Promise<unknown>,
  intervalMs: number,
  onLate: (error: unknown) => void,
): PartialThrottle {
  /** Images whose last partial went out less than an interval ago. */
  const slots = new Map<string, Slot>();
  let dropped = 0;

  const endInterval = (id: string): void => {
    const slot = slots.get(id);
    slots.delete(id);
    if (slot?.waiting === undefined) return;
    openInterval(id);
    publish(slot.waiting).catch(onLate);
  };

  const openInterval = (id: string): void => {
    const timer = setTimeout(() => endInterval(id), intervalMs);
    timer.unref();
    slots.set(id, { waiting: undefined, timer });
  };

  const forget = (id: string): void => {
    const slot = slots.get(id);
    if (slot === undefined) return;
    if (slot.waiting !== undefined) dropped += 1;
    clearTimeout(slot.timer);
    slots.delete(id);
  };

  return {
    async publish(draft) {
      const { id } = draft.data;
      if (draft.kind === 'final' || intervalMs === 0) {
        forget(id);
        await publish(draft);
        return;
      }
      const slot = slots.get(id);
      if (slot === undefined) {
        openInterval(id);
        await publish(draft);
        return;
      }
      if (slot.waiting !== undefined) dropped += 1;
      slot.waiting = draft;
    },
    dropped: () => dropped,
    close: () => {
      for (const id of slots.keys()) forget(id);
    },
  };
}
