import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Follower } from '../../../../src/browser/client/followers.ts';
import type { LinkHandlers } from '../../../../src/browser/client/link.ts';
import { createSharedStream } from '../../../../src/browser/client/shared-stream.ts';

interface Connection {
  readonly topics: readonly string[];
  readonly since: string;
  readonly on: LinkHandlers;
  isClosed: boolean;
}

let page: EventTarget;
let connections: Connection[];

beforeEach(() => {
  vi.useFakeTimers();
  page = new EventTarget();
  connections = [];
  vi.stubGlobal('addEventListener', page.addEventListener.bind(page));
  vi.stubGlobal('document', Object.assign(new EventTarget(), { hidden: false }));
  vi.stubGlobal('navigator', { onLine: true });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function newStream(ready: Promise<void> = Promise.resolve()) {
  return createSharedStream({
    dial: (topics, since) => async (on) => {
      await ready;
      return () => {
        const connection: Connection = { topics, since, on, isClosed: false };
        connections.push(connection);
        return { close: () => (connection.isClosed = true) };
      };
    },
    toEvent: (name, cursor, data) => ({ id: '', topics: [], ...(data as object), name, cursor }),
  });
}

function newFollower(...filters: readonly string[]) {
  const got: string[] = [];
  const states: string[] = [];
  const follower: Follower = {
    filters,
    cursor: '',
    joined: false,
    onEvent: (event) => got.push(event.cursor),
    onState: (state, reason) => states.push(reason === '' ? state : `${state}: ${reason}`),
  };
  return { follower, got, states };
}

const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(50);
const newest = (): Connection => connections.at(-1) as Connection;
const say = (cursor: string, topic: string): void =>
  newest().on.onEvent('image.ready', cursor, { id: 'x', topics: [topic] });

test('followers that come in one turn share one connection', async () => {
  const stream = newStream();
  stream.add(newFollower('job:1').follower);
  stream.add(newFollower('job:2').follower);
  await settle();
  expect(connections.map(({ topics }) => topics)).toEqual([['job:1', 'job:2']]);
});

test('a new topic opens the stream again, from where it stood', async () => {
  const stream = newStream();
  stream.add(newFollower('job:1').follower);
  await settle();
  say('7-0', 'job:1');
  stream.add(newFollower('job:2').follower);
  await settle();
  expect(connections).toHaveLength(2);
  expect(connections[0]?.isClosed).toBe(true);
  expect(newest()).toMatchObject({ topics: ['job:1', 'job:2'], since: '7-0' });
});

test('a topic that the stream carries already costs no connection', async () => {
  const stream = newStream();
  stream.add(newFollower('job:*').follower);
  await settle();
  newest().on.onOpen();
  const second = newFollower('job:2');
  stream.add(second.follower);
  await settle();
  say('8-0', 'job:2');
  expect(connections).toHaveLength(1);
  expect(second.got).toEqual(['8-0']);
  expect(second.states).toEqual(['open']);
});

test('the last follower closes the stream', async () => {
  const stream = newStream();
  const { follower } = newFollower('job:1');
  stream.add(follower);
  await settle();
  stream.remove(follower);
  await settle();
  expect(newest().isClosed).toBe(true);
});

test('a lost stream is opened again after a wait, from its cursor', async () => {
  const stream = newStream();
  const { follower, states } = newFollower('job:1');
  stream.add(follower);
  await settle();
  newest().on.onOpen();
  say('7-0', 'job:1');
  newest().on.onEnd({ reason: 'slow', retry: true });
  await vi.advanceTimersByTimeAsync(400);
  expect(connections).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(700);
  expect(newest()).toMatchObject({ since: '7-0' });
  expect(states).toEqual(['connecting', 'open', 'waiting: slow']);
});

test('a refusal for good is told and not tried again, until somebody follows anew', async () => {
  const stream = newStream();
  const { follower, states } = newFollower('job:1');
  stream.add(follower);
  await settle();
  newest().on.onEnd({ reason: 'topic_forbidden', retry: false });
  await vi.advanceTimersByTimeAsync(120_000);
  expect(connections).toHaveLength(1);
  expect(states.at(-1)).toBe('closed: topic_forbidden');
  stream.add(newFollower('job:2').follower);
  await settle();
  expect(connections).toHaveLength(2);
});

test('a stream that is silent for longer than three heartbeats counts as lost', async () => {
  const stream = newStream();
  const { follower, states } = newFollower('job:1');
  stream.add(follower);
  await settle();
  newest().on.onOpen();
  await vi.advanceTimersByTimeAsync(30_000);
  newest().on.onAlive();
  await vi.advanceTimersByTimeAsync(44_000);
  expect(newest().isClosed).toBe(false);
  await vi.advanceTimersByTimeAsync(1500);
  expect(connections[0]?.isClosed).toBe(true);
  expect(states).toContain('waiting: silent');
});

test('offline ends the stream at once, online opens it without waiting', async () => {
  const stream = newStream();
  const { follower, states } = newFollower('job:1');
  stream.add(follower);
  await settle();
  vi.stubGlobal('navigator', { onLine: false });
  page.dispatchEvent(new Event('offline'));
  expect(newest().isClosed).toBe(true);
  expect(states.at(-1)).toBe('offline: offline');
  vi.stubGlobal('navigator', { onLine: true });
  page.dispatchEvent(new Event('online'));
  await vi.advanceTimersByTimeAsync(1);
  expect(connections).toHaveLength(2);
});

test('a page that goes into the back-forward cache has no connection there, and one when it comes back', async () => {
  const stream = newStream();
  const { follower, states } = newFollower('job:1');
  stream.add(follower);
  await settle();
  say('7-0', 'job:1');
  page.dispatchEvent(new Event('pagehide'));
  await vi.advanceTimersByTimeAsync(60_000);
  expect(connections.map(({ isClosed }) => isClosed)).toEqual([true]);
  expect(states.at(-1)).toBe('paused');
  page.dispatchEvent(new Event('pageshow'));
  await vi.advanceTimersByTimeAsync(1);
  expect(newest()).toMatchObject({ since: '7-0', isClosed: false });
});

test('a ticket that comes after the page has gone opens nothing', async () => {
  const desk = new EventTarget();
  const stream = newStream(
    new Promise((resolve) => {
      desk.addEventListener('ticket', () => resolve());
    }),
  );
  stream.add(newFollower('job:1').follower);
  await settle();
  page.dispatchEvent(new Event('pagehide'));
  desk.dispatchEvent(new Event('ticket'));
  await settle();
  expect(connections).toEqual([]);
});

test('a ticket that cannot be had is asked for again', async () => {
  const refused = Promise.reject(new Error('no ticket'));
  refused.catch(() => {});
  const stream = newStream(refused);
  const { follower, states } = newFollower('job:1');
  stream.add(follower);
  await settle();
  expect(states).toEqual(['connecting', 'waiting: ticket_failed']);
});
