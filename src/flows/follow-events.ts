/**
 * The story of a page that follows images: check what it asks for, admit it, then give it what it
 * missed and what happens from now on. Knows no transport: that hands in a sink.
 */
import { isCursor } from '../core/cursor.ts';
import { isGranted, type Grant } from '../core/grant.ts';
import { checkTopicFilter } from '../core/topic.ts';
import { AppError } from '../errors.ts';
import type { Hub } from '../events/hub.ts';
import type { FrameMode, Sink } from '../events/sink.ts';
import type { Subscriber } from '../events/subscriber.ts';

export interface FollowWish {
  readonly mode: FrameMode;
  readonly topics: readonly string[];
  /** Topics may come later, by message. */
  readonly topicsMayFollow: boolean;
  /** The cursor to go on from; '' takes what happens from now on. */
  readonly since: string;
  /** Who it is, for the list of slow readers. */
  readonly client: string;
  readonly grant: Grant;
}

export interface FollowDeps {
  readonly hub: Hub;
  /** The most that `inline_max` may ask for. */
  readonly inlineLimitBytes: number;
}

/** Checks, admits, subscribes; replay and live events then come through the sink. AppError before it is opened. */
export function followEvents(
  wish: FollowWish,
  deps: FollowDeps,
  openSink: (subscriber: Subscriber) => Sink,
): Subscriber {
  const { hub } = deps;
  const { client, grant } = wish;
  const filters = checkFilters(wish.topics, hub.topicsMax, grant);
  if (filters.length === 0 && !wish.topicsMayFollow) {
    throw new AppError('query_invalid', 'Say what to follow: `topic=job:42`, `topic=job:*` or `topic=*`.');
  }
  const since = checkSince(wish.since);
  const inlineMaxBytes = Math.min(wish.mode.inlineMaxBytes, deps.inlineLimitBytes);
  // Who may not have the image inside its events still gets the preview.
  const inline = wish.mode.inline === 'full' && !grant.inlineFull ? 'thumbnail' : wish.mode.inline;
  const mode = { ...wish.mode, inline, inlineMaxBytes: inline === 'full' ? inlineMaxBytes : 0 };
  hub.admit(client);
  return hub.subscribe({ mode, filters, since, client, expiresAtMs: grant.expiresAtMs }, openSink);
}

/** More topics on a stream that is open; `since` replays those alone. */
export function followMore(
  subscriber: Subscriber,
  wish: { readonly topics: readonly string[]; readonly since: string; readonly grant: Grant },
  hub: Hub,
): void {
  hub.follow(subscriber, checkFilters(wish.topics, hub.topicsMax, wish.grant), checkSince(wish.since));
}

export function followLess(subscriber: Subscriber, topics: readonly string[], hub: Hub): void {
  hub.unfollow(subscriber, topics);
}

function checkFilters(topics: readonly string[], topicsMax: number, grant: Grant): readonly string[] {
  const filters = [...new Set(topics.map(checkTopicFilter))];
  if (filters.length > topicsMax) {
    throw new AppError('query_invalid', `A stream follows at most ${topicsMax} topics.`);
  }
  const refused = filters.find((filter) => !isGranted(grant, filter));
  if (refused !== undefined) throw new AppError('topic_forbidden', `The token does not grant "${refused}".`);
  return filters;
}

function checkSince(since: string): string | undefined {
  if (since === '') return undefined;
  if (!isCursor(since)) throw new AppError('cursor_invalid');
  return since;
}
