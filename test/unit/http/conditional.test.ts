/** RFC 9110, sections 13 and 14, as tables. */
import { describe, expect, test } from 'vitest';
import { decide, noneMatchHits, type Conditions, type Decision } from '../../../src/http/conditional.ts';

const ETAG = '"abc"';
const MODIFIED = 'Sun, 06 Nov 1994 08:49:37 GMT';
const MODIFIED_MS = Date.UTC(1994, 10, 6, 8, 49, 37);
const LATER = 'Sun, 06 Nov 1994 08:49:38 GMT';
const EARLIER = 'Sun, 06 Nov 1994 08:49:36 GMT';
const RANGE = 'bytes=0-9';

const NONE: Conditions = { ifNoneMatch: '', ifModifiedSince: '', range: '', ifRange: '' };
// The last half second does not show in a date.
const validators = { etag: ETAG, lastModifiedMs: MODIFIED_MS + 500, bytes: 100 };

function parseRange(range: string, bytes: number): Decision {
  return decide({ ...NONE, range }, { ...validators, bytes });
}

function kind(conditions: Partial<Conditions>): string {
  return decide({ ...NONE, ...conditions }, validators).kind;
}

describe('13.1.2 If-None-Match, weakly compared', () => {
  test.each(['"abc"', 'W/"abc"', '*', ' * ', '"x","abc"', '"x" , W/"abc" ,"y"', '"a,b", "abc"', ',, "abc"'])(
    '%s matches',
    (given) => {
      expect(noneMatchHits(given, ETAG)).toBe(true);
    },
  );

  test.each(['', 'abc', '"ABC"', '"abc', 'abc"', '"ab"', '"x"', '"*"', '**', "'abc'", 'W/abc', '"a"bc"'])(
    '%s does not',
    (given) => {
      expect(noneMatchHits(given, ETAG)).toBe(false);
    },
  );
});

describe('13.2.2 the order', () => {
  test.each([
    [{}, 'full'],
    [{ ifNoneMatch: ETAG }, 'not-modified'],
    [{ ifNoneMatch: '"x"' }, 'full'],
    [{ ifNoneMatch: '"x"', ifModifiedSince: LATER }, 'full'],
    [{ ifNoneMatch: ETAG, ifModifiedSince: EARLIER }, 'not-modified'],
    [{ ifModifiedSince: MODIFIED }, 'not-modified'],
    [{ ifModifiedSince: LATER }, 'not-modified'],
    [{ ifModifiedSince: EARLIER }, 'full'],
    [{ ifNoneMatch: ETAG, range: RANGE }, 'not-modified'],
    [{ ifNoneMatch: '"x"', range: RANGE }, 'partial'],
    [{ range: RANGE, ifRange: ETAG }, 'partial'],
    [{ range: RANGE, ifRange: '"x"' }, 'full'],
    [{ range: RANGE, ifRange: 'W/"abc"' }, 'full'],
    [{ range: RANGE, ifRange: MODIFIED }, 'partial'],
    [{ range: RANGE, ifRange: LATER }, 'full'],
    [{ range: RANGE, ifRange: EARLIER }, 'full'],
    [{ range: RANGE, ifRange: 'abc' }, 'full'],
    [{ ifRange: ETAG }, 'full'],
    // A range beyond the end of another representation says nothing of this one.
    [{ range: 'bytes=100-', ifRange: '"x"' }, 'full'],
    [{ range: 'bytes=100-', ifRange: ETAG }, 'unsatisfiable'],
  ] as const)('%j is %s', (conditions, expected) => {
    expect(kind(conditions)).toBe(expected);
  });

  test.each(['2100', '99999999999999', 'Sun, 06 Nov 2094 08:49:37', '2094-11-06T08:49:37Z', 'x'])(
    'If-Modified-Since: %s is no date, and ignored',
    (given) => {
      expect(kind({ ifModifiedSince: given })).toBe('full');
    },
  );
});

describe('14.1.2 ranges of 100 bytes', () => {
  test.each([
    ['bytes=0-0', 0, 0],
    ['bytes=0-99', 0, 99],
    ['bytes=0-100', 0, 99],
    ['bytes=99-', 99, 99],
    ['bytes=-1', 99, 99],
    ['bytes=-100', 0, 99],
    ['bytes=-101', 0, 99],
    ['bytes=007-008', 7, 8],
    ['Bytes=1-2', 1, 2],
    ['bytes=0-999999999999999', 0, 99],
  ])('%s is %i to %i', (header, from, to) => {
    expect(parseRange(header, 100)).toEqual({ kind: 'partial', from, to });
  });

  test.each(['bytes=100-', 'bytes=100-200', 'bytes=-0', 'bytes=999999999999999-'])(
    '%s is not satisfiable',
    (header) => {
      expect(parseRange(header, 100)).toEqual({ kind: 'unsatisfiable' });
    },
  );

  test.each([
    'bytes=',
    'bytes=-',
    'bytes=5-4',
    'bytes=0-1,2-3',
    'bytes=1',
    'byte=0-1',
    'items=0-1',
    '0-1',
    'bytes 0-1',
    'bytes=0-1;x',
    'bytes=0x0-1',
    'bytes=1.0-2',
    'bytes=0-9999999999999999999999',
  ])('%s is answered whole', (header) => {
    expect(parseRange(header, 100)).toEqual({ kind: 'full' });
  });

  test('of nothing there is no range', () => {
    for (const header of ['bytes=0-', 'bytes=-5', 'bytes=0-0']) {
      expect(parseRange(header, 0)).toEqual({ kind: 'unsatisfiable' });
    }
  });
});
