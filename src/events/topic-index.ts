/**
 * Who follows a topic: by its name, by a prefix of it, or by `*`. The cost of a look-up depends on the
 * topic's length and on who matches, not on how many topics or followers there are.
 */
import { isPrefixFilter } from '../core/topic.ts';

export interface TopicIndex<T> {
  add(filter: string, follower: T): void;
  remove(filter: string, follower: T): void;
  /** Everybody who follows one of the topics, each once. */
  match(topics: readonly string[]): readonly T[];
  isFollowed(topics: readonly string[]): boolean;
}

function addTo<T>(sets: Map<string, Set<T>>, name: string, follower: T): void {
  const set = sets.get(name);
  if (set === undefined) sets.set(name, new Set([follower]));
  else set.add(follower);
}

function removeFrom<T>(sets: Map<string, Set<T>>, name: string, follower: T): void {
  const set = sets.get(name);
  set?.delete(follower);
  if (set?.size === 0) sets.delete(name);
}

export function createTopicIndex<T>(): TopicIndex<T> {
  const exact = new Map<string, Set<T>>();
  /** By length, so that a topic is only cut where some prefix ends. */
  const prefixes = new Map<number, Map<string, Set<T>>>();

  function* matchingSets(topics: readonly string[]): Generator<Set<T>> {
    for (const topic of topics) {
      const set = exact.get(topic);
      if (set !== undefined) yield set;
      for (const [length, sets] of prefixes) {
        const prefixed = length > topic.length ? undefined : sets.get(topic.slice(0, length));
        if (prefixed !== undefined) yield prefixed;
      }
    }
  }

  return {
    add(filter, follower) {
      if (!isPrefixFilter(filter)) return addTo(exact, filter, follower);
      const prefix = filter.slice(0, -1);
      const sets = prefixes.get(prefix.length) ?? new Map<string, Set<T>>();
      prefixes.set(prefix.length, sets);
      addTo(sets, prefix, follower);
    },
    remove(filter, follower) {
      if (!isPrefixFilter(filter)) return removeFrom(exact, filter, follower);
      const prefix = filter.slice(0, -1);
      const sets = prefixes.get(prefix.length);
      if (sets === undefined) return;
      removeFrom(sets, prefix, follower);
      if (sets.size === 0) prefixes.delete(prefix.length);
    },
    match(topics) {
      const [first, ...more] = matchingSets(topics);
      if (first === undefined) return [];
      if (more.length === 0) return [...first];
      const followers = new Set(first);
      for (const set of more) for (const follower of set) followers.add(follower);
      return [...followers];
    },
    isFollowed: (topics) => matchingSets(topics).next().done !== true,
  };
}
