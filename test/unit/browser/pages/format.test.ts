import { expect, test } from 'vitest';
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatPercent,
} from '../../../../src/browser/pages/format.ts';

test('bytes come in the largest unit that leaves a number above one', () => {
  expect([0, 512, 1024, 1536, 84e6, 2 ** 40].map(formatBytes)).toEqual([
    '0 B',
    '512 B',
    '1 KiB',
    '1.5 KiB',
    '80.1 MiB',
    '1 TiB',
  ]);
});

test('counts stay whole until they are large', () => {
  expect([0, 7, 9999, 12_043, 4_200_000].map(formatCount)).toEqual(['0', '7', '9999', '12.0 k', '4.2 M']);
});

test('a ratio that is nearly all is not rounded to all', () => {
  expect([0, 0.5, 0.9996, 1].map(formatPercent)).toEqual(['0 %', '50 %', '100.0 %', '100 %']);
});

test('durations name two units at most', () => {
  expect([5, 65, 7400, 200_000].map(formatDuration)).toEqual(['5 s', '1 min', '2 h 3 min', '2 d 7 h']);
});
