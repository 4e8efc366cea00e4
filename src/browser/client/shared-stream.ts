/**
 * One stream that all followers of a page share: when to connect, wait, pause and go on, and from
 * where. Who gets what is the followers' business, the connection is the connector's.
 */
import { createConnector, type Dial } from './connector.ts';
import { createFollowers, type Follower, type FollowState } from './followers.ts';
import { covers, isAfter, type ImageEvent } from './image-event.ts';
import type { LinkEnd } from './link.ts';
import { createPatience } from './patience.ts';
import { createTimer } from './timer.ts';
import { watchPage } from './watch-page.ts';

export interface SharedStreamOptions {
  /** How to connect to these topics, from there on. */
  readonly dial: (topics: readonly string[], since: string) => Dial;
  readonly toEvent: (name: string, cursor: string, data: unknown) => ImageEvent;
}

export interface SharedStream {
  add(follower: Follower): void;
  remove(follower: Follower): void;
}

/** Followers that come and go in one turn of a page cost one connection. */
const SETTLE_MS = 40;

export function createSharedStream({ dial, toEvent }: SharedStreamOptions): SharedStream {
  const followers = createFollowers();
  const patience = createPatience();
  const attempt = createTimer(connect);
  let state: FollowState = 'closed';
  let reason = '';
  let filters: readonly string[] = [];
  /** The last event of the stream as a whole: new followers start there. */
  let position = '';
  const isCovered = ({ filters: theirs }: Follower): boolean =>
    theirs.every((one) => filters.some((filter) => covers(filter, one)));

  function tell(next: FollowState, why = ''): void {
    state = next;
    reason = why;
    followers.tell(next, why);
  }

  function ended(end: LinkEnd): void {
    if (!end.retry) return tell('closed', end.reason);
    tell(navigator.onLine ? 'waiting' : 'offline', end.reason);
    attempt.set(patience.nextMs(end));
  }

  const connector = createConnector({
    onOpen: () => tell('open'),
    onAlive() {},
    onCursor(cursor) {
      position = isAfter(cursor, position) ? cursor : position;
      followers.advance(cursor);
    },
    onRetry: patience.setBase,
    onEvent(name, cursor, data) {
      patience.reset();
      position = cursor || position;
      followers.deliver(toEvent(name, cursor, data));
    },
    onEnd: ended,
  });

  function connect(): void {
    connector.stop();
    attempt.clear();
    filters = followers.filters();
    if (filters.length === 0) return tell('closed');
    if (state !== 'waiting' && state !== 'offline') tell('connecting');
    followers.join();
    void connector.start(dial(filters, followers.resumeFrom()));
  }

  watchPage({
    wake: () => ['waiting', 'offline', 'paused'].includes(state) && attempt.set(0),
    offline: () => connector.isBusy() && connector.fail('offline'),
    pause() {
      connector.stop();
      attempt.clear();
      if (state !== 'closed') tell('paused');
    },
  });

  return {
    add(follower) {
      const canJoin = connector.isBusy() && follower.cursor === '' && isCovered(follower);
      follower.cursor ||= position;
      followers.add(follower);
      if (!canJoin) return attempt.set(SETTLE_MS);
      follower.joined = true;
      queueMicrotask(() => followers.has(follower) && follower.onState(state, reason));
    },
    remove(follower) {
      followers.remove(follower);
      if (followers.filters().join('\n') !== filters.join('\n')) attempt.set(SETTLE_MS);
    },
  };
}
