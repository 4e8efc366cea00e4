import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createGathering } from '../../../src/processes/gathering.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Readings are numbers here, and what is kept of those that are gone is their sum. */
function open(count = 3) {
  const asked: number[] = [];
  const running = new Set(Array.from({ length: count }, (_, index) => index + 1));
  const gathering = createGathering<number>(
    { count, deadlineMs: 1000 },
    {
      ask: (id) => {
        asked.push(id);
        return [...running];
      },
      keep: async (kept, last) => (kept ?? 0) + last,
    },
  );
  return { gathering, asked, running };
}

test('it waits for all, and gives the reading of each', async () => {
  const { gathering } = open();
  const gathered = gathering.gather();
  for (const process of [1, 2, 3]) gathering.onReading(process, 1, process * 10);
  expect(await gathered).toEqual({
    readings: [10, 20, 30],
    processes: { count: 3, silent: [], silences: 0, restarts: 0 },
  });
});

test('at the deadline a silent process is named, counted, and stands with its last reading', async () => {
  const { gathering } = open(2);
  const first = gathering.gather();
  gathering.onReading(1, 1, 10);
  gathering.onReading(2, 1, 20);
  await first;
  const second = gathering.gather();
  gathering.onReading(1, 2, 11);
  await vi.advanceTimersByTimeAsync(1000);
  expect(await second).toEqual({
    readings: [11, 20],
    processes: { count: 2, silent: [2], silences: 1, restarts: 0 },
  });
});

test('a late answer is not one to the next question', async () => {
  const { gathering } = open(2);
  const first = gathering.gather();
  gathering.onReading(1, 1, 10);
  await vi.advanceTimersByTimeAsync(1000);
  await first;
  const second = gathering.gather();
  gathering.onReading(2, 1, 20);
  gathering.onReading(1, 2, 11);
  await vi.advanceTimersByTimeAsync(1000);
  expect((await second).processes.silent).toEqual([2]);
});

test('what a process counted stays when it is gone, and its place is named until it answers again', async () => {
  const { gathering, running } = open(2);
  const first = gathering.gather();
  gathering.onReading(1, 1, 10);
  gathering.onReading(2, 1, 20);
  await first;
  running.delete(2);
  gathering.onGone(2);
  gathering.onRestart();
  const second = gathering.gather();
  gathering.onReading(1, 2, 11);
  expect(await second).toEqual({
    readings: [11, 20],
    processes: { count: 2, silent: [2], silences: 0, restarts: 1 },
  });
  running.add(2);
  const third = gathering.gather();
  gathering.onReading(1, 3, 12);
  gathering.onReading(2, 3, 1);
  expect(await third).toMatchObject({ readings: [12, 1, 20], processes: { silent: [] } });
});

test('a process that goes while it is waited for is not waited for', async () => {
  const { gathering } = open(2);
  const gathered = gathering.gather();
  gathering.onReading(1, 1, 10);
  gathering.onGone(2);
  expect((await gathered).processes).toMatchObject({ silent: [2] });
  expect(vi.getTimerCount()).toBe(0);
});

test('who asks while the question is out gets its answer; who asks later, a new one', async () => {
  const { gathering, asked } = open(1);
  const both = [gathering.gather(), gathering.gather()];
  gathering.onReading(1, 1, 10);
  await Promise.all(both);
  expect(asked).toEqual([1]);
  const next = gathering.gather();
  gathering.onReading(1, 2, 11);
  expect((await next).readings).toEqual([11]);
});
