import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { supervise } from '../../../src/processes/supervisor.ts';
import { createSwitchboard } from '../../../src/processes/switchboard.ts';
import { createFakeChild, type FakeChild } from '../../fixtures/fake-child.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const URL = 'http://127.0.0.1:1';
const turn = async (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

function run(count: number, isObedient = true) {
  const stop = new AbortController();
  const started: { readonly process: number; readonly child: FakeChild<number> }[] = [];
  const lines: string[] = [];
  const listening: string[] = [];
  const note = (_: unknown, line: string): void => void lines.push(line);
  const log = { error: note, fatal: note } as unknown as Parameters<typeof supervise>[1]['log'];
  const code = supervise<number>(
    {
      count,
      startTimeoutMs: 60_000,
      stopTimeoutMs: 5000,
      restart: { delayMs: 100, delayMsMax: 1000, steadyMs: 60_000, endsMax: 3 },
      watchdog: { everyMs: 1000, missedMax: 3 },
    },
    {
      spawn: (process) => {
        const child = createFakeChild<number>({ isObedient });
        started.push({ process, child });
        return child;
      },
      switchboard: createSwitchboard({ count, deadlineMs: 1000 }, { keep: async (_, last) => last }),
      nowMs: () => Date.now(),
      log,
      onListening: (url) => listening.push(url),
    },
    stop.signal,
  );
  const says = async (index: number): Promise<void> => {
    started[index]?.child.say({ type: 'listening', url: URL });
    await turn();
  };
  return { stop, started, lines, listening, code, says };
}

test('the first starts alone, then the others, and all listening is said once', async () => {
  const { started, listening, says, stop, code } = run(3);
  expect(started.map(({ process }) => process)).toEqual([1]);
  await says(0);
  expect(started.map(({ process }) => process)).toEqual([1, 2, 3]);
  await says(2);
  expect(listening).toEqual([]);
  await says(1);
  expect(listening).toEqual([URL]);
  stop.abort();
  expect(await code).toBe(0);
});

test('the first that cannot start ends it with its code, and no other is started', async () => {
  const { started, code, lines } = run(2);
  started[0]?.child.end(78);
  expect(await code).toBe(78);
  expect(started).toHaveLength(1);
  expect(lines).toEqual(['a process could not start: ending all']);
});

test('a later one that cannot start ends the others too', async () => {
  const { started, code, says } = run(2);
  await says(0);
  started[1]?.child.end(1);
  expect(await code).toBe(1);
  expect(started[0]?.child.sent).toEqual([{ type: 'stop' }]);
});

test('one that takes too long to start is killed, and that is a start that failed', async () => {
  const { started, code } = run(2);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(started[0]?.child.signals).toEqual(['SIGKILL']);
  expect(await code).toBe(1);
});

test('one that ends is started again after a pause, and the others go on', async () => {
  const { started, says, stop, code } = run(2);
  await says(0);
  await says(1);
  started[1]?.child.end(null, 'SIGKILL');
  await vi.advanceTimersByTimeAsync(99);
  expect(started).toHaveLength(2);
  await vi.advanceTimersByTimeAsync(1);
  expect(started.map(({ process }) => process)).toEqual([1, 2, 2]);
  expect(started[0]?.child.sent).toEqual([]);
  stop.abort();
  expect(await code).toBe(0);
});

test('one that ends again and again ends all, not with 0', async () => {
  const { started, says, code, lines } = run(2);
  await says(0);
  await says(1);
  for (const delayMs of [100, 200]) {
    started.at(-1)?.child.end(1);
    await vi.advanceTimersByTimeAsync(delayMs);
  }
  started.at(-1)?.child.end(1);
  expect(await code).toBe(1);
  expect(lines.at(-1)).toBe('a process ends again and again: ending all');
  expect(started[0]?.child.sent).toEqual([{ type: 'stop' }]);
});

test('one that hangs is killed and started again; one that answers is left alone', async () => {
  const { started, says, stop, code, lines } = run(2);
  await says(0);
  await says(1);
  for (let second = 1; second <= 4; second += 1) {
    await vi.advanceTimersByTimeAsync(1000);
    started[0]?.child.say({ type: 'pong' });
  }
  expect(started[0]?.child.signals).toEqual([]);
  expect(started[1]?.child.signals).toEqual(['SIGKILL']);
  expect(lines[0]).toBe('a process hangs: killing it');
  await vi.advanceTimersByTimeAsync(100);
  expect(started.map(({ process }) => process)).toEqual([1, 2, 2]);
  stop.abort();
  expect(await code).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
});

test('told to stop it starts nothing any more, and a process that waits for its start is no failure', async () => {
  const { started, says, stop, code } = run(2);
  await says(0);
  await says(1);
  started[1]?.child.end(null, 'SIGKILL');
  await turn();
  stop.abort();
  expect(await code).toBe(0);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(started).toHaveLength(2);
});

test('told to stop while the first starts it starts no other, and ends with 0', async () => {
  const { started, stop, code } = run(2);
  stop.abort();
  expect(await code).toBe(0);
  expect(started).toHaveLength(1);
});

test('who does not stop in time is killed, and that is not 0', async () => {
  const { started, says, stop, code } = run(2, false);
  await says(0);
  await says(1);
  stop.abort();
  await turn();
  started[0]?.child.end(0);
  await vi.advanceTimersByTimeAsync(4999);
  expect(started[1]?.child.signals).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(started[1]?.child.signals).toEqual(['SIGKILL']);
  expect(await code).toBe(1);
});

test('a process that the signal of the terminal ended has done what was asked', async () => {
  const { started, says, stop, code } = run(2, false);
  await says(0);
  stop.abort();
  started[0]?.child.end(0);
  started[1]?.child.end(null, 'SIGINT');
  expect(await code).toBe(0);
});
