import { expect, test } from 'vitest';
import { createRestartPolicy } from '../../../src/processes/restart-policy.ts';

const OPTIONS = { delayMs: 100, delayMsMax: 350, steadyMs: 10_000, endsMax: 5 };

test('the wait doubles up to its bound, and after too many ends in a row it is over', () => {
  const policy = createRestartPolicy(OPTIONS);
  expect([1, 2, 3, 4, 5].map(() => policy.ended(1, 50))).toEqual([100, 200, 350, 350, undefined]);
});

test('who lived long enough starts afresh, and each process has its own count', () => {
  const policy = createRestartPolicy(OPTIONS);
  policy.ended(1, 50);
  policy.ended(1, 50);
  expect(policy.ended(2, 50)).toBe(100);
  expect(policy.ended(1, 10_000)).toBe(100);
  expect(policy.ended(1, 9999)).toBe(200);
});
