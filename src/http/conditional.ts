/**
 * Conditional and range requests (RFC 9110, sections 13 and 14), as pure functions over header texts.
 * Knows nothing of sockets or caches. Every tag of ours is strong.
 */

import { parseHttpDate } from './http-date.ts';

export interface Conditions {
  readonly ifNoneMatch: string;
  readonly ifModifiedSince: string;
  /** '' for HEAD: a range is defined for GET alone (14.2). */
  readonly range: string;
  readonly ifRange: string;
}

export interface Validators {
  /** With its quotes. */
  readonly etag: string;
  readonly lastModifiedMs: number;
  readonly bytes: number;
}

export type Decision =
  | { readonly kind: 'full' }
  | { readonly kind: 'not-modified' }
  /** Both ends inclusive. */
  | { readonly kind: 'partial'; readonly from: number; readonly to: number }
  | { readonly kind: 'unsatisfiable' };

export const FULL: Decision = { kind: 'full' };
export const NOT_MODIFIED: Decision = { kind: 'not-modified' };
const UNSATISFIABLE: Decision = { kind: 'unsatisfiable' };

/** RFC 9110 13.2.2: If-None-Match first, If-Modified-Since only without it, then Range with If-Range. */
export function decide(conditions: Conditions, validators: Validators): Decision {
  if (conditions.ifNoneMatch !== '') {
    if (noneMatchHits(conditions.ifNoneMatch, validators.etag)) return NOT_MODIFIED;
  } else if (conditions.ifModifiedSince !== '') {
    if (isUnmodifiedSince(conditions.ifModifiedSince, validators.lastModifiedMs)) return NOT_MODIFIED;
  }
  if (conditions.range === '' || !ifRangeHolds(conditions.ifRange, validators)) return FULL;
  return parseRange(conditions.range, validators.bytes);
}

/** Weak comparison: `W/` counts for nothing. A list may hold tags with commas inside their quotes. */
export function noneMatchHits(header: string, etag: string): boolean {
  if (header === etag || header.trim() === '*') return true;
  for (const match of header.matchAll(/(?:W\/)?("[^"]*")/g)) {
    if (match[1] === etag) return true;
  }
  return false;
}

/** As Last-Modified says it: HTTP dates have no fraction. */
function wholeSecondMs(ms: number): number {
  return Math.floor(ms / 1000) * 1000;
}

/** A date that does not parse is ignored (13.1.3). */
function isUnmodifiedSince(header: string, lastModifiedMs: number): boolean {
  const sinceMs = parseHttpDate(header);
  return sinceMs !== undefined && wholeSecondMs(lastModifiedMs) <= sinceMs;
}

/** Strong comparison (13.1.5): a weak tag never matches, nor a date but the exact one. */
function ifRangeHolds(header: string, validators: Validators): boolean {
  if (header === '') return true;
  if (header.startsWith('"')) return header === validators.etag;
  if (header.startsWith('W/')) return false;
  return parseHttpDate(header) === wholeSecondMs(validators.lastModifiedMs);
}

/**
 * One range of bytes: `0-99`, `100-`, `-100`. Several ranges, other units and texts that do not parse
 * are ignored, as 14.2 allows: the answer is then whole.
 */
function parseRange(header: string, bytes: number): Decision {
  const match = /^bytes=\s*(\d{0,15})\s*-\s*(\d{0,15})\s*$/i.exec(header);
  if (match === null) return FULL;
  const [, first = '', last = ''] = match;
  if (first === '' && last === '') return FULL;
  if (first === '') {
    const suffix = Number(last);
    if (suffix === 0 || bytes === 0) return UNSATISFIABLE;
    return { kind: 'partial', from: Math.max(0, bytes - suffix), to: bytes - 1 };
  }
  const from = Number(first);
  if (last !== '' && Number(last) < from) return FULL;
  if (from >= bytes) return UNSATISFIABLE;
  return { kind: 'partial', from, to: last === '' ? bytes - 1 : Math.min(Number(last), bytes - 1) };
}
