import { expect, test } from 'vitest';
import { parseHttpDate } from '../../../src/http/http-date.ts';

const NOW_MS = Date.UTC(2026, 10, 20);
const SAMPLE_MS = Date.UTC(1994, 10, 6, 8, 49, 37);

test.each([
  'Sun, 06 Nov 1994 08:49:37 GMT',
  'Sunday, 06-Nov-94 08:49:37 GMT',
  'Sun Nov  6 08:49:37 1994',
  ' sun, 06 nov 1994 08:49:37 gmt ',
])('%j is the sample of RFC 9110 5.6.7, in whatever zone this runs', (text) => {
  expect(parseHttpDate(text, NOW_MS)).toBe(SAMPLE_MS);
});

test('what Last-Modified says is read back', () => {
  for (const ms of [0, 1_000, NOW_MS, 4_102_444_799_000]) {
    expect(parseHttpDate(new Date(ms).toUTCString(), NOW_MS)).toBe(ms);
  }
});

test('two digits of a year are at most fifty years ahead', () => {
  const year = (text: string): number => new Date(parseHttpDate(text, NOW_MS) ?? 0).getUTCFullYear();
  expect(year('Sunday, 06-Nov-76 08:49:37 GMT')).toBe(2076);
  expect(year('Sunday, 06-Nov-77 08:49:37 GMT')).toBe(1977);
  expect(year('Sunday, 06-Nov-26 08:49:37 GMT')).toBe(2026);
});

test.each([
  '',
  '0',
  '1994',
  '1994-11-06T08:49:37Z',
  'Sun, 06 Nov 1994 08:49:37',
  'Sun, 06 Nov 1994 08:49:37 CET',
  'Sun, 06 Nov 1994 08:49:37 +0000',
  'Sun, 6 Nov 1994 08:49:37 GMT',
  'Sun, 32 Nov 1994 08:49:37 GMT',
  'Sun, 30 Feb 1994 08:49:37 GMT',
  'Sun, 06 Foo 1994 08:49:37 GMT',
  'Sun, 06 Nov 1994 24:49:37 GMT',
  `Sun, 06 Nov 1994 08:49:37 GMT${' '.repeat(40)}`,
])('%j is no HTTP date', (text) => {
  expect(parseHttpDate(text, NOW_MS)).toBe(undefined);
});
