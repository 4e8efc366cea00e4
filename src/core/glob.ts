/**
 * Patterns over keys: `*` is any text, `?` one character, a backslash takes the next one literally.
 * Matching is linear in the text whatever the pattern (a stranger's pattern meets a million keys, and a
 * backtracking one could hold the loop for minutes). Pure.
 */
import { AppError } from '../errors.ts';
import { CACHE_KEY_CHARS_MAX } from './limits.ts';

export type GlobMatcher = (text: string) => boolean;

/** Characters between two stars; -1 stands for any one. */
type Segment = readonly number[];

const ANY = -1;
const WORD_BITS = 32;

/** AppError query_invalid when the pattern is empty or longer than any key. */
export function compileGlob(pattern: string): GlobMatcher {
  if (pattern === '' || pattern.length > CACHE_KEY_CHARS_MAX) {
    throw new AppError('query_invalid', `A pattern is 1 to ${CACHE_KEY_CHARS_MAX} characters.`);
  }
  const [head = [], ...others] = splitSegments(pattern);
  const tail = others.pop();
  if (tail === undefined) return (text) => text.length === head.length && matchesAt(head, text, 0);
  const searches = others.filter((segment) => segment.length > 0).map(createSearch);
  return (text) => {
    const end = text.length - tail.length;
    if (end < head.length || !matchesAt(head, text, 0) || !matchesAt(tail, text, end)) return false;
    let position = head.length;
    for (const search of searches) {
      position = search(text, position, end);
      if (position === -1) return false;
    }
    return true;
  };
}

/** At the unescaped stars. A backslash at the end stands for itself. */
function splitSegments(pattern: string): Segment[] {
  const segments: number[][] = [[]];
  for (let at = 0; at < pattern.length; at += 1) {
    const char = pattern.charAt(at);
    if (char === '*') {
      segments.push([]);
      continue;
    }
    const isEscape = char === '\\' && at + 1 < pattern.length;
    if (isEscape) at += 1;
    segments.at(-1)?.push(char === '?' ? ANY : pattern.charCodeAt(at));
  }
  return segments;
}

function matchesAt(segment: Segment, text: string, position: number): boolean {
  for (let index = 0; index < segment.length; index += 1) {
    const wanted = segment[index];
    if (wanted !== ANY && wanted !== text.charCodeAt(position + index)) return false;
  }
  return true;
}

/**
 * Finds the first place of a segment at or after a position: the position behind it, or -1. Shift-And
 * (Baeza-Yates and Gonnet): bit i says that the last i+1 characters match the first i+1 of the segment.
 */
function createSearch(segment: Segment): (text: string, from: number, to: number) => number {
  const words = Math.ceil(segment.length / WORD_BITS);
  const wild = new Uint32Array(words);
  const masks = new Map<number, Uint32Array>();
  segment.forEach((code, index) => {
    if (code === ANY) setBit(wild, index);
    else if (!masks.has(code)) masks.set(code, new Uint32Array(words));
  });
  for (const [code, mask] of masks) {
    segment.forEach((wanted, index) => (wanted === code || wanted === ANY ? setBit(mask, index) : undefined));
  }
  const last = segment.length - 1;
  return (text, from, to) => {
    const state = new Uint32Array(words);
    for (let position = from; position < to; position += 1) {
      shiftAnd(state, masks.get(text.charCodeAt(position)) ?? wild);
      if (hasBit(state, last)) return position + 1;
    }
    return -1;
  };
}

function shiftAnd(state: Uint32Array, mask: Uint32Array): void {
  let carry = 1;
  for (let word = 0; word < state.length; word += 1) {
    const before = state[word] ?? 0;
    state[word] = ((before << 1) | carry) & (mask[word] ?? 0);
    carry = before >>> (WORD_BITS - 1);
  }
}

function setBit(bits: Uint32Array, index: number): void {
  const word = Math.floor(index / WORD_BITS);
  bits[word] = (bits[word] ?? 0) | (1 << (index % WORD_BITS));
}

function hasBit(bits: Uint32Array, index: number): boolean {
  return (((bits[Math.floor(index / WORD_BITS)] ?? 0) >>> (index % WORD_BITS)) & 1) === 1;
}
