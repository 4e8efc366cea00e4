/**
 * Through when events of topics are lost that nothing is left of. Kept by the topic's first word
 * (`job` of `job:42`), so that a flood of images does not make every quiet topic look incomplete.
 */
import { compareCursors, CURSOR_ZERO } from '../core/cursor.ts';
import { isPrefixFilter } from '../core/topic.ts';

export interface ForgottenTopics {
  add(topic: string, cursor: string): void;
  /** Something at or before it that the filter matches may be gone. */
  lostThrough(filter: string): string;
}

const WORDS_MAX = 1024;

function later(a: string, b: string): string {
  return compareCursors(a, b) < 0 ? b : a;
}

function firstWord(topic: string): string {
  const end = topic.indexOf(':');
  return end === -1 ? topic : topic.slice(0, end);
}

export function createForgottenTopics(): ForgottenTopics {
  const byWord = new Map<string, string>();
  /** Of the words beyond the limit. */
  let elsewhere = CURSOR_ZERO;
  return {
    add(topic, cursor) {
      const word = firstWord(topic);
      const known = byWord.get(word);
      if (known === undefined && byWord.size >= WORDS_MAX) elsewhere = later(elsewhere, cursor);
      else byWord.set(word, later(known ?? CURSOR_ZERO, cursor));
    },
    lostThrough(filter) {
      const spansWords = isPrefixFilter(filter) && !filter.includes(':');
      if (spansWords) return [...byWord.values()].reduce(later, elsewhere);
      return byWord.get(firstWord(filter)) ?? elsewhere;
    },
  };
}
