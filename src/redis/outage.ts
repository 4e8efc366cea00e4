/**
 * Publishing while Redis is away: events get a cursor here and go to those who are here; the others are
 * owed them, and get them when Redis is back.
 */
import type { EventDraft, ImageEvent } from '../core/event.ts';
import type { BusHistory } from './bus-history.ts';
import { asEvent } from './event-entry.ts';
import { nextLocalCursor } from './local-cursor.ts';
import { createOutbox } from './outbox.ts';

export interface OutageDeps {
  readonly history: BusHistory;
  readonly redisNowMs: () => number;
  readonly deliver: (event: ImageEvent) => void;
  /** Once per change. */
  readonly onSwitch: (to: 'shared' | 'local', reason: string) => void;
}

export interface Outage {
  isOn(): boolean;
  begin(reason: string): void;
  publish(draft: EventDraft, origin: string): ImageEvent;
  /** An entry came out of the stream: true if it was delivered here before. */
  wasDelivered(origin: string): boolean;
  /** Hands over what is owed, oldest first, and makes the past that of the stream again. */
  end(
    send: (draft: EventDraft, origin: string) => Promise<unknown>,
    reload: () => Promise<void>,
  ): Promise<void>;
  stats(): {
    readonly local: boolean;
    readonly publishedHere: number;
    readonly owed: number;
    readonly dropped: number;
  };
}

const SENT_AT_ONCE = 100;

export function createOutage(deps: OutageDeps): Outage {
  const { history } = deps;
  const outbox = createOutbox();
  let isOn = false;
  let publishedHere = 0;

  function switchTo(on: boolean, reason: string): void {
    if (isOn === on) return;
    isOn = on;
    deps.onSwitch(on ? 'local' : 'shared', reason);
  }

  return {
    isOn: () => isOn,
    begin: (reason) => switchTo(true, reason),
    publish(draft, origin) {
      const event = asEvent(draft, nextLocalCursor(history.head(), deps.redisNowMs()));
      publishedHere += 1;
      outbox.add(origin, draft);
      history.keep(event);
      deps.deliver(event);
      return event;
    },
    wasDelivered: outbox.take,
    async end(send, reload) {
      for (let owed = outbox.oldest(SENT_AT_ONCE); owed.length > 0; owed = outbox.oldest(SENT_AT_ONCE)) {
        // Sent one after the other on one connection, so that they arrive in their order.
        const sending = owed.map(async ({ draft, origin }) => {
          await send(draft, origin);
          outbox.settle(origin);
        });
        await Promise.all(sending);
      }
      await reload();
      // Published meanwhile: the next round is theirs.
      if (outbox.size() === 0) switchTo(false, '');
    },
    stats: () => ({ local: isOn, publishedHere, owed: outbox.size(), dropped: outbox.dropped() }),
  };
}
