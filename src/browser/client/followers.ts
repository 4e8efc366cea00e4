/**
 * Who follows what on one shared stream, and where each of them stands. It hands out events exactly
 * once per follower, whatever a resumed connection repeats; it knows nothing of connections.
 */
import { covers, fewestFilters, isAfter, type ImageEvent } from './image-event.ts';

/** waiting: between two attempts. paused: the page is out of sight for good or for the back-forward cache. closed: refused. */
export type FollowState = 'connecting' | 'open' | 'waiting' | 'offline' | 'paused' | 'closed';

export interface Follower {
  readonly filters: readonly string[];
  /** The last event that it has, or must not be given again; '' takes what comes from now on. */
  cursor: string;
  /** Whether the open connection covers it. Until then, what others receive does not move its cursor. */
  joined: boolean;
  onEvent(event: ImageEvent): void;
  onState(state: FollowState, reason: string): void;
}

function oldest(cursors: readonly string[]): string {
  return cursors.reduce((old, one) => (isAfter(old, one) ? one : old), cursors[0] ?? '');
}

function isFor(follower: Follower, event: ImageEvent): boolean {
  const topics = [`image:${event.id}`, ...event.topics];
  return topics.some((topic) => follower.filters.some((filter) => covers(filter, topic)));
}

export function createFollowers() {
  const all = new Set<Follower>();

  function give(follower: Follower, event: ImageEvent): void {
    const { name, cursor } = event;
    // The connection that will cover it replays from its cursor: what it gets now, it would get twice.
    if (!follower.joined && follower.cursor !== '') return;
    const isNew = cursor === '' || follower.cursor === '' || isAfter(cursor, follower.cursor);
    // A gap concerns everybody, and may lie before their cursor: the server's count has begun anew.
    if (name !== 'gap' && !isNew) return;
    if (follower.joined && cursor !== '') follower.cursor = cursor;
    if (name === 'gap' || isFor(follower, event)) follower.onEvent(event);
  }

  return {
    add: (follower: Follower) => all.add(follower),
    remove: (follower: Follower) => all.delete(follower),
    has: (follower: Follower) => all.has(follower),
    filters: () => fewestFilters([...all].flatMap((follower) => follower.filters)),

    /** The connection that is about to open covers everybody who is here now. */
    join(): void {
      for (const follower of all) follower.joined = true;
    },

    /** The oldest position that anybody needs; who stands further skips what comes again. */
    resumeFrom: () => oldest([...all].map((follower) => follower.cursor).filter(Boolean)),

    /** Heartbeats say how far the stream is: whoever it covers has everything up to there. */
    advance(cursor: string): void {
      for (const follower of all) {
        if (follower.joined && isAfter(cursor, follower.cursor)) follower.cursor = cursor;
      }
    },

    /** A copy, since a callback may well follow or leave. */
    deliver(event: ImageEvent): void {
      for (const follower of Array.from(all)) give(follower, event);
    },

    tell(state: FollowState, reason: string): void {
      for (const follower of Array.from(all)) follower.onState(state, reason);
    },
  };
}
