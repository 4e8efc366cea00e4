/**
 * Who is here: every subscriber with its channel, what each follows, and whose turn it is to be looked
 * at. Keeps the books; what is sent is the channels' business.
 */
import { modeKey, quantiseMode } from './frame-mode.ts';
import type { Channel } from './channel.ts';
import type { TopicRow } from './hub-stats.ts';
import type { FrameMode } from './sink.ts';
import type { Subscriber } from './subscriber.ts';
import { createTally } from './tally.ts';

export interface Roster {
  readonly members: ReadonlyMap<Subscriber, Channel>;
  readonly channels: ReadonlyMap<string, Channel>;
  /** The channel of a mode; it exists from now until its last subscriber leaves. */
  channelOf(mode: FrameMode): Channel;
  join(subscriber: Subscriber, channel: Channel): void;
  leave(subscriber: Subscriber): void;
  /** Does nothing where the subscriber is gone. `since` undefined: from now on. */
  addFilter(subscriber: Subscriber, filter: string, since: string | undefined): void;
  removeFilter(subscriber: Subscriber, filter: string): void;
  /** Those whose turn it is; each comes around once in `slots` calls. */
  nextSlot(): Iterable<Subscriber>;
  topicCount(): number;
  /** Streams that this client has open. */
  streamsOf(client: string): number;
  topTopics(count: number): readonly TopicRow[];
}

export function createRoster(slots: number, openChannel: (mode: FrameMode) => Channel): Roster {
  const members = new Map<Subscriber, Channel>();
  const channels = new Map<string, Channel>();
  const sizes = new Map<Channel, number>();
  const followers = createTally();
  const clients = createTally();
  const wheel = Array.from({ length: slots }, () => new Set<Subscriber>());
  let joined = 0;
  let slot = 0;

  function dropFilter(subscriber: Subscriber, channel: Channel, filter: string): void {
    channel.followers.remove(filter, subscriber);
    followers.remove(filter);
  }

  return {
    members,
    channels,
    channelOf(wanted) {
      const mode = quantiseMode(wanted);
      const channel = channels.get(modeKey(mode)) ?? openChannel(mode);
      channels.set(modeKey(mode), channel);
      return channel;
    },
    join(subscriber, channel) {
      members.set(subscriber, channel);
      clients.add(subscriber.terms.client);
      sizes.set(channel, (sizes.get(channel) ?? 0) + 1);
      wheel[joined % slots]?.add(subscriber);
      joined += 1;
    },
    leave(subscriber) {
      const channel = members.get(subscriber);
      if (channel === undefined) return;
      members.delete(subscriber);
      clients.remove(subscriber.terms.client);
      for (const { filter } of subscriber.follows) dropFilter(subscriber, channel, filter);
      for (const one of wheel) one.delete(subscriber);
      const left = (sizes.get(channel) ?? 1) - 1;
      sizes.set(channel, left);
      if (left > 0) return;
      sizes.delete(channel);
      channels.delete(modeKey(channel.mode));
      channel.close();
    },
    addFilter(subscriber, filter, since) {
      const channel = members.get(subscriber);
      if (channel === undefined) return;
      const start = since ?? channel.position();
      subscriber.follows.push({ filter, start, through: start, owes: since !== undefined });
      channel.followers.add(filter, subscriber);
      followers.add(filter);
    },
    removeFilter(subscriber, filter) {
      const channel = members.get(subscriber);
      const index = subscriber.follows.findIndex((follow) => follow.filter === filter);
      if (channel === undefined || index === -1) return;
      subscriber.follows.splice(index, 1);
      dropFilter(subscriber, channel, filter);
    },
    nextSlot() {
      slot = (slot + 1) % slots;
      return wheel[slot] ?? [];
    },
    topicCount: followers.size,
    streamsOf: clients.of,
    topTopics: (count) => followers.most(count).map(([topic, subscribers]) => ({ topic, subscribers })),
  };
}
