import { expect, test } from 'vitest';
import { isGranted } from '../../../src/core/grant.ts';

const grant = (...filters: string[]) => ({ filters, inlineFull: true, expiresAtMs: 0 });

test('a topic is granted by name or by a pattern over it', () => {
  expect(isGranted(grant('job:1'), 'job:1')).toBe(true);
  expect(isGranted(grant('job:*'), 'job:1')).toBe(true);
  expect(isGranted(grant('job:1'), 'job:12')).toBe(false);
  expect(isGranted(grant('job:*'), 'user:1')).toBe(false);
});

test('a pattern is granted only by a pattern at least as wide', () => {
  expect(isGranted(grant('job:*'), 'job:4*')).toBe(true);
  expect(isGranted(grant('job:4*'), 'job:*')).toBe(false);
  expect(isGranted(grant('job:1'), 'job:1*')).toBe(false);
  expect(isGranted(grant('*'), '*')).toBe(true);
});
