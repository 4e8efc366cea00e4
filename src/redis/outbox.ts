/**
 * Events that were delivered here while Redis was away: finals are owed to the other instances, and none
 * of them is delivered here again when it comes back out of the stream. Bounded. Pure.
 */
import type { EventDraft } from '../core/event.ts';

export interface Outbox {
  add(origin: string, draft: EventDraft): void;
  /** So many of those that are owed, oldest first. */
  oldest(count: number): readonly { readonly origin: string; readonly draft: EventDraft }[];
  /** It is in the stream. */
  settle(origin: string): void;
  /** It came out of the stream: true if it was delivered here before. */
  take(origin: string): boolean;
  size(): number;
  dropped(): number;
}

const OWED_MAX = 1000;
const DELIVERED_MAX = 10_000;

export function createOutbox(): Outbox {
  const owed = new Map<string, EventDraft>();
  const delivered = new Set<string>();
  let dropped = 0;

  return {
    add(origin, draft) {
      delivered.add(origin);
      const [oldest] = delivered;
      if (delivered.size > DELIVERED_MAX && oldest !== undefined) delivered.delete(oldest);
      // A partial is worth nothing by the time that Redis is back.
      if (draft.kind === 'partial') return;
      owed.set(origin, draft);
      const [oldestOwed] = owed.keys();
      if (owed.size <= OWED_MAX || oldestOwed === undefined) return;
      owed.delete(oldestOwed);
      dropped += 1;
    },
    oldest: (count) => [...owed].slice(0, count).map(([origin, draft]) => ({ origin, draft })),
    settle: (origin) => void owed.delete(origin),
    take(origin) {
      owed.delete(origin);
      return delivered.delete(origin);
    },
    size: () => owed.size,
    dropped: () => dropped,
  };
}
