import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { EventDraft } from '../../../src/core/event.ts';
import { createPartialThrottle } from '../../../src/events/partial-throttle.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function draft(id: string, index?: number): EventDraft {
  const partial = index !== undefined;
  return {
    name: partial ? 'image.partial' : 'image.ready',
    kind: partial ? 'partial' : 'final',
    data: { id, topics: [], ...(partial ? { partial_index: index } : {}) },
    thumbnail: '',
    bodyKey: '',
  };
}

function setUp() {
  const published: string[] = [];
  const throttle = createPartialThrottle(
    async ({ data }) => published.push(`${data.id}:${data.partial_index ?? 'final'}`),
    100,
    () => undefined,
  );
  return { published, throttle };
}

test('of partials in one interval the first and the newest go out', async () => {
  const { published, throttle } = setUp();
  for (const index of [0, 1, 2, 3]) await throttle.publish(draft('a', index));
  expect(published).toEqual(['a:0']);
  await vi.advanceTimersByTimeAsync(100);
  expect(published).toEqual(['a:0', 'a:3']);
  expect(throttle.dropped()).toBe(2);
});

test('a late partial opens an interval of its own', async () => {
  const { published, throttle } = setUp();
  for (const index of [0, 1]) await throttle.publish(draft('a', index));
  await vi.advanceTimersByTimeAsync(100);
  await throttle.publish(draft('a', 2));
  expect(published).toEqual(['a:0', 'a:1']);
  await vi.advanceTimersByTimeAsync(100);
  expect(published).toEqual(['a:0', 'a:1', 'a:2']);
});

test('a final never waits, and no older partial follows it', async () => {
  const { published, throttle } = setUp();
  for (const event of [draft('a', 0), draft('a', 1), draft('a')]) await throttle.publish(event);
  await vi.advanceTimersByTimeAsync(1000);
  expect(published).toEqual(['a:0', 'a:final']);
});

test('images do not wait for each other, and nothing is kept of quiet ones', async () => {
  const { published, throttle } = setUp();
  for (const id of ['a', 'b', 'c']) await throttle.publish(draft(id, 0));
  expect(published).toEqual(['a:0', 'b:0', 'c:0']);
  await vi.advanceTimersByTimeAsync(100);
  expect(vi.getTimerCount()).toBe(0);
});

test('closing drops what waits', async () => {
  const { published, throttle } = setUp();
  for (const index of [0, 1]) await throttle.publish(draft('a', index));
  throttle.close();
  await vi.advanceTimersByTimeAsync(1000);
  expect(published).toEqual(['a:0']);
});
