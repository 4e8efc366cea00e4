import { expect, test } from 'vitest';
import { createPatience } from '../../../../src/browser/client/patience.ts';

const lost = { reason: 'network', retry: true };

test('waits double up to half a minute, and the upper half of each is left to chance', () => {
  const least = createPatience(() => 0);
  const most = createPatience(() => 1);
  expect(Array.from({ length: 7 }, () => least.nextMs(lost))).toEqual([
    500, 1000, 2000, 4000, 8000, 15_000, 15_000,
  ]);
  expect(Array.from({ length: 7 }, () => most.nextMs(lost))).toEqual([
    1000, 2000, 4000, 8000, 16_000, 30_000, 30_000,
  ]);
});

test('a stream that delivers makes the next wait a short one again', () => {
  const patience = createPatience(() => 0);
  patience.nextMs(lost);
  patience.nextMs(lost);
  patience.reset();
  expect(patience.nextMs(lost)).toBe(500);
});

test('what the server asks for is the least: its retry, and Retry-After of a refusal', () => {
  const patience = createPatience(() => 0);
  patience.setBase(4000);
  expect(patience.nextMs(lost)).toBe(2000);
  expect(patience.nextMs({ ...lost, afterMs: 9000 })).toBe(9000);
});

test('a stream whose life is over comes back without a penalty', () => {
  const patience = createPatience(() => 0.5);
  for (let i = 0; i < 5; i++) expect(patience.nextMs({ reason: 'lifetime', retry: true })).toBe(500);
});
