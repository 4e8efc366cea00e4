import { expect, test } from 'vitest';
import type { Found } from '../../../src/cache/lookup.ts';
import { createWarmer } from '../../../src/flows/warm-cache.ts';

const FOUND: Found = {
  entry: { key: '', mime: '', version: '', bytes: 0, storedAtMs: 0, expiresAtMs: 0 },
  body: new Uint8Array(),
  steps: [],
};

function setUp(find: (key: string) => Promise<Found | undefined>, hasRoom = () => true) {
  const asked: string[] = [];
  const cache = {
    find: async (key: string) => {
      asked.push(key);
      return find(key);
    },
  };
  return { asked, warmer: createWarmer({ cache, hasRoom, onProgress: () => undefined }) };
}

test('each key is fetched once, hottest first, and counted by what came of it', async () => {
  const { asked, warmer } = setUp(async (key) => {
    if (key === 'broken') throw new Error('no');
    return key === 'gone' ? undefined : FOUND;
  });
  warmer.add(['a', 'gone', 'broken', 'b']);
  await warmer.idle();
  expect(asked).toEqual(['a', 'gone', 'broken', 'b']);
  expect(warmer.progress()).toEqual({ total: 4, done: 4, found: 2, missing: 1, failed: 1, running: false });
});

test('a few at a time', async () => {
  let underWay = 0;
  let most = 0;
  const { warmer } = setUp(async () => {
    most = Math.max(most, (underWay += 1));
    await Promise.resolve();
    underWay -= 1;
    return FOUND;
  });
  warmer.add(Array.from({ length: 50 }, (_, index) => String(index)));
  await warmer.idle();
  expect(most).toBeLessThanOrEqual(4);
  expect(most).toBeGreaterThan(1);
});

test('it ends when memory is full, and when it is stopped', async () => {
  let room = 3;
  const full = setUp(
    async () => FOUND,
    () => (room -= 1) >= 0,
  );
  full.warmer.add(Array.from({ length: 50 }, (_, index) => String(index)));
  await full.warmer.idle();
  expect(full.asked).toHaveLength(3);
  const stopped = setUp(async () => FOUND);
  stopped.warmer.stop();
  stopped.warmer.add(['a']);
  await stopped.warmer.idle();
  expect(stopped.asked).toEqual([]);
});

test('what waits is bounded', () => {
  const { warmer } = setUp(async () => FOUND);
  expect(() => warmer.add(Array.from({ length: 200_001 }, () => 'a'))).toThrow('overloaded');
});
