import { expect, test } from 'vitest';
import { didYouMean, editDistance } from '../../../src/config/did-you-mean.ts';

const KNOWN = ['PORT', 'HOST', 'CACHE_DIR', 'LOG_LEVEL', 'MEMORY_CACHE_MB', 'MAX_IMAGE_MB'];

test.each([
  ['MEMORY_CACHE_MBB', 'MEMORY_CACHE_MB'],
  ['MEMROY_CACHE_MB', 'MEMORY_CACHE_MB'],
  ['MEMORY_CACH_M', 'MEMORY_CACHE_MB'],
  ['LOGLEVEL', 'LOG_LEVEL'],
  ['CACHE_DRI', 'CACHE_DIR'],
])('%s means %s', (typed, meant) => {
  expect(didYouMean(typed, KNOWN)).toBe(meant);
});

test.each(['SORT', 'PORTS', 'HOSTS', 'CACHE_HOME', 'LOG_COLOR', 'PATH'])(
  '%s is a name of its own',
  (name) => {
    expect(didYouMean(name, KNOWN)).toBeUndefined();
  },
);

test.each([
  ['', 'abc', 3],
  ['abc', 'abc', 0],
  ['serve', 'srve', 1],
  ['serve', 'sevre', 1],
  ['watch', 'put', 4],
])('from "%s" to "%s" it takes %d edits', (a, b, edits) => {
  expect(editDistance(a, b)).toBe(edits);
});
