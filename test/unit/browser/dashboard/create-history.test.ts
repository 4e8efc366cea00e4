import { expect, test } from 'vitest';
import { createHistory, SAMPLES } from '../../../../src/browser/dashboard/create-history.ts';

const stats = (total: number, hits = 0, misses = 0) => ({ requests: { total }, hits, misses });

test('counters become rates over the time that has really passed', () => {
  const history = createHistory();
  expect(history.add(stats(100), 0).requests).toBeUndefined();
  expect(history.add(stats(160), 4000).requests).toBe(15);
});

test('a server that restarted counts from nothing, and no rate is negative', () => {
  const history = createHistory();
  history.add(stats(1000), 0);
  expect(history.add(stats(10), 2000).requests).toBe(5);
});

test('where nobody read anything there is no hit ratio, rather than a bad one', () => {
  const history = createHistory();
  history.add(stats(1, 10, 5), 0);
  expect(history.add(stats(2, 10, 5), 2000).hitPercent).toBeUndefined();
  expect(history.add(stats(3, 13, 6), 4000).hitPercent).toBe(75);
});

test('fields that a server does not send are unknown, and the history stays bounded', () => {
  const history = createHistory();
  for (let i = 0; i < SAMPLES + 50; i++) history.add({}, i * 2000);
  expect(history.samples).toHaveLength(SAMPLES);
  expect(history.samples.at(-1)).toMatchObject({ requests: undefined, running: undefined });
});
