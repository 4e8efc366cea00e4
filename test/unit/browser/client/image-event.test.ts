import { expect, test } from 'vitest';
import { covers, fewestFilters, isAfter } from '../../../../src/browser/client/image-event.ts';

test('cursors compare as numbers, not as text', () => {
  expect(isAfter('1000-0', '999-7')).toBe(true);
  expect(isAfter('1000-10', '1000-9')).toBe(true);
  expect(isAfter('1000-9', '1000-9')).toBe(false);
  expect(isAfter('1-0', '')).toBe(true);
});

test('a prefix covers what begins like it, a topic only itself', () => {
  expect(covers('*', 'job:1')).toBe(true);
  expect(covers('job:*', 'job:42')).toBe(true);
  expect(covers('job:*', 'job:4*')).toBe(true);
  expect(covers('job:4', 'job:42')).toBe(false);
});

test('a filter that another one covers is left out', () => {
  expect(fewestFilters(['job:1', 'job:*', 'image:a', 'job:1'])).toEqual(['job:*', 'image:a']);
});

test('more topics than a stream may have become their common prefixes', () => {
  const ids = Array.from({ length: 300 }, (_, index) => `image:shop/${index}`);
  expect(fewestFilters(ids)).toEqual(['image:shop/*']);
  expect(fewestFilters(Array.from({ length: 300 }, (_, index) => `image:${index}/front`))).toEqual([
    'image:*',
  ]);
  expect(fewestFilters(Array.from({ length: 300 }, (_, index) => `${index}:*`))).toEqual(['*']);
});
