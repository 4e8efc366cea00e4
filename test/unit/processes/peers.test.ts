import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { FromChild, FromParent, Parent } from '../../../src/processes/message.ts';
import { createPeers } from '../../../src/processes/peers.ts';
import { createSwitchboard } from '../../../src/processes/switchboard.ts';
import { createFakeChild } from '../../fixtures/fake-child.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function fakeParent() {
  const sent: FromChild<number>[] = [];
  const parent = { say: (_: FromParent<number>): void => undefined, leave: (): void => undefined };
  const link: Parent<number> = {
    send: (message) => void sent.push(message),
    onMessage: (listener) => {
      parent.say = listener;
    },
    onGone: (listener) => {
      parent.leave = listener;
    },
  };
  return { sent, parent, link };
}

function openPeers() {
  const { sent, parent, link } = fakeParent();
  const peers = createPeers<number>({ number: 2, count: 3, deadlineMs: 2000 }, link);
  return { sent, parent, peers };
}

test('it stops when the parent says so, and when the parent is gone', () => {
  const told = openPeers();
  expect(told.peers.stop.aborted).toBe(false);
  told.parent.say({ type: 'stop' });
  expect(told.peers.stop.aborted).toBe(true);
  const alone = openPeers();
  alone.parent.leave();
  expect(alone.peers.stop.aborted).toBe(true);
});

test('asked whether it is there it says so, before it can be read too', () => {
  const { sent, parent } = openPeers();
  parent.say({ type: 'ping' });
  expect(sent).toEqual([{ type: 'pong' }]);
});

test('asked for a reading it gives one, under the number of the question', async () => {
  const { sent, parent, peers } = openPeers();
  peers.answer(async () => 7);
  parent.say({ type: 'read', id: 5 });
  await vi.advanceTimersByTimeAsync(0);
  expect(sent).toEqual([{ type: 'reading', id: 5, reading: 7 }]);
});

test('a parent that does not answer leaves the own reading, with the others named', async () => {
  const { peers } = openPeers();
  peers.answer(async () => 7);
  const gathered = peers.gather();
  await vi.advanceTimersByTimeAsync(2000);
  expect(await gathered).toMatchObject({ readings: [7], processes: { count: 3, silent: [1, 3] } });
});

test('what one tells reaches the others that listen, and not itself', async () => {
  const board = createSwitchboard<number>({ count: 3, deadlineMs: 1000 }, { keep: async (_, last) => last });
  const children = [1, 2, 3].map((process) => {
    const child = createFakeChild<number>();
    board.join(process, child);
    return child;
  });
  const [one, two, three] = children;
  one?.say({ type: 'listening', url: 'http://x' });
  two?.say({ type: 'listening', url: 'http://x' });
  one?.say({ type: 'tell', note: { kind: 'cleared' } });
  expect(two?.sent).toEqual([{ type: 'told', note: { kind: 'cleared' } }]);
  expect(one?.sent).toEqual([]);
  expect(three?.sent).toEqual([]);
});

test('whoever gathers gets what all that listen answer', async () => {
  const board = createSwitchboard<number>({ count: 2, deadlineMs: 1000 }, { keep: async (_, last) => last });
  const [one, two] = [1, 2].map((process) => {
    const child = createFakeChild<number>();
    board.join(process, child);
    child.say({ type: 'listening', url: 'http://x' });
    return child;
  });
  two?.say({ type: 'gather', id: 9 });
  expect(one?.sent).toEqual([{ type: 'read', id: 1 }]);
  one?.say({ type: 'reading', id: 1, reading: 10 });
  two?.say({ type: 'reading', id: 1, reading: 20 });
  await vi.advanceTimersByTimeAsync(0);
  expect(two?.sent.at(-1)).toMatchObject({ type: 'gathered', id: 9, gathered: { readings: [10, 20] } });
});
