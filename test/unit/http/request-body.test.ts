import type { HttpResponse } from 'uWebSockets.js';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { openRequestBody, type RequestBody } from '../../../src/http/request-body.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function open(isExpected: boolean): { body: RequestBody; send: (bytes: number, isLast: boolean) => void } {
  let handler: ((chunk: ArrayBuffer, isLast: boolean) => void) | undefined;
  // Only what a body touches.
  const response = { onData: (next: typeof handler) => void (handler = next) } as unknown as HttpResponse;
  const body = openRequestBody(response, isExpected);
  return { body, send: (bytes, isLast) => handler?.(new ArrayBuffer(bytes), isLast) };
}

const forever = new AbortController().signal;

async function isPending(promise: Promise<void>): Promise<boolean> {
  let pending = true;
  void promise.then(() => (pending = false));
  await vi.advanceTimersByTimeAsync(0);
  return pending;
}

test('what is discarded is waited for until its end', async () => {
  const { body, send } = open(true);
  const done = body.discard(forever);
  send(1000, false);
  expect(await isPending(done)).toBe(true);
  send(0, true);
  expect(await isPending(done)).toBe(false);
});

test('nothing is waited for where there is no body, or all of it has come', async () => {
  expect(await isPending(open(false).body.discard(forever))).toBe(false);
  const { body, send } = open(true);
  body.onData(() => undefined);
  send(10, true);
  expect(await isPending(body.discard(forever))).toBe(false);
});

test('a body that is none ends at once, though the library never says so', () => {
  let ends = 0;
  open(false).body.onData((chunk, isLast) => {
    expect([chunk.byteLength, isLast]).toEqual([0, true]);
    ends += 1;
  });
  expect(ends).toBe(1);
});

test('the wait ends at 256 MiB, after 30 seconds, or when the client leaves', async () => {
  const large = open(true);
  const byBytes = large.body.discard(forever);
  for (let sent = 0; sent < 256; sent += 1) large.send(1024 * 1024, false);
  expect(await isPending(byBytes)).toBe(true);
  large.send(1, false);
  expect(await isPending(byBytes)).toBe(false);

  const byTime = open(true).body.discard(forever);
  await vi.advanceTimersByTimeAsync(29_999);
  expect(await isPending(byTime)).toBe(true);
  await vi.advanceTimersByTimeAsync(1);
  expect(await isPending(byTime)).toBe(false);

  const client = new AbortController();
  const byClient = open(true).body.discard(client.signal);
  client.abort();
  expect(await isPending(byClient)).toBe(false);
  expect(await isPending(open(true).body.discard(client.signal))).toBe(false);
});

test('who read it before gets nothing of what is discarded', async () => {
  const { body, send } = open(true);
  let received = 0;
  body.onData((chunk) => (received += chunk.byteLength));
  send(10, false);
  const done = body.discard(forever);
  send(10, true);
  await done;
  expect(received).toBe(10);
});
