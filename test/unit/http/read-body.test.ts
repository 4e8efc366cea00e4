import { describe, expect, test } from 'vitest';
import { readBody } from '../../../src/http/read-body.ts';
import type { RequestBody } from '../../../src/http/request-body.ts';
import { createUploadBudget } from '../../../src/http/upload-budget.ts';
import { bodyOf } from '../../fixtures/entries.ts';

const LIMIT_BYTES = 1000;

function upload(
  contentLength: string,
  budgetBytes = 10_000,
  limitBytes = LIMIT_BYTES,
  budget = createUploadBudget(budgetBytes),
) {
  const client = new AbortController();
  let handler: (chunk: ArrayBuffer, isLast: boolean) => void = () => undefined;
  const source: RequestBody = {
    onData: (next) => void (handler = next),
    pause: () => undefined,
    resume: () => undefined,
    discard: async () => undefined,
  };
  const result = readBody(source, { contentLength, limitBytes, budget, signal: client.signal });
  // Looked at by the tests that expect it.
  result.catch(() => undefined);
  /** As the library does: the chunk is gone when the handler returns. */
  const send = (bytes: Uint8Array<ArrayBuffer>, isLast: boolean): void => {
    const chunk = bytes.slice().buffer;
    handler(chunk, isLast);
    structuredClone(chunk, { transfer: [chunk] });
  };
  return { budget, client, result, send };
}

describe.each(['1000', ''])('a body with Content-Length %j', (contentLength) => {
  const bytes = bodyOf(1, LIMIT_BYTES);

  test('comes back whole in a buffer of its own, and is charged until it is released', async () => {
    const { budget, result, send } = upload(contentLength);
    send(bytes.subarray(0, 1) as typeof bytes, false);
    send(bytes.subarray(1, 700) as typeof bytes, false);
    send(bytes.subarray(700) as typeof bytes, true);
    const { body, release } = await result;
    expect(new Uint8Array(body)).toEqual(bytes);
    // Only such a buffer can be transferred to a worker.
    expect(structuredClone(body, { transfer: [body] }).byteLength).toBe(LIMIT_BYTES);
    expect(budget.inFlightBytes()).toBe(LIMIT_BYTES);
    release();
    release();
    expect(budget.inFlightBytes()).toBe(0);
  });

  test('that goes over the limit while it comes is refused, and what follows is dropped', async () => {
    const { budget, result, send } = upload(contentLength);
    send(bytes, false);
    send(bodyOf(2, 1), false);
    await expect(result).rejects.toThrow('image_too_large');
    expect(budget.inFlightBytes()).toBe(0);
    send(bodyOf(2, 500), true);
    expect(budget.inFlightBytes()).toBe(0);
  });

  test('of a client that leaves is given back', async () => {
    const { budget, client, result, send } = upload(contentLength);
    send(bodyOf(2, 500), false);
    client.abort();
    await expect(result).rejects.toThrow('request_aborted');
    expect(budget.inFlightBytes()).toBe(0);
    send(bodyOf(2, 500), true);
    expect(budget.inFlightBytes()).toBe(0);
  });

  test('that finds no room is refused', async () => {
    const { budget, result, send } = upload(contentLength, 999);
    send(bytes, true);
    await expect(result).rejects.toThrow('overloaded');
    expect(budget.inFlightBytes()).toBe(0);
  });
});

test('a length over the limit is refused before anything is charged', async () => {
  const { budget, result } = upload(String(LIMIT_BYTES + 1));
  await expect(result).rejects.toThrow('image_too_large');
  expect(budget.inFlightBytes()).toBe(0);
});

describe('a declared length', () => {
  const KIB = 1024;
  const MIB = 1024 * KIB;

  test('is charged ahead of what comes, so that who begins can finish', async () => {
    expect(upload('1000').budget.inFlightBytes()).toBe(1000);
    const { budget, result, send } = upload(String(MIB), 2 * MIB, MIB);
    send(bodyOf(1, 100 * KIB), false);
    expect(budget.inFlightBytes()).toBe(400 * KIB);
    send(bodyOf(1, 300 * KIB), false);
    expect(budget.inFlightBytes()).toBe(MIB);
    send(bodyOf(1, MIB - 400 * KIB), true);
    const { body, release } = await result;
    expect([body.byteLength, budget.inFlightBytes()]).toEqual([MIB, MIB]);
    release();
    expect(budget.inFlightBytes()).toBe(0);
  });

  test('takes no room from others while nothing of it comes', async () => {
    const budget = createUploadBudget(4 * MIB);
    const idle = Array.from({ length: 30 }, () => upload(String(2 * MIB), 0, 2 * MIB, budget));
    expect(budget.inFlightBytes()).toBe(1920 * KIB);
    const { result, send } = upload(String(MIB), 0, MIB, budget);
    send(bodyOf(1, MIB), true);
    expect((await result).body.byteLength).toBe(MIB);
    for (const { client } of idle) client.abort();
    expect(budget.inFlightBytes()).toBe(MIB);
  });

  test('for which there is no room now is refused before it is sent', async () => {
    const budget = createUploadBudget(MIB);
    upload('', 0, MIB, budget).send(bodyOf(1, 100 * KIB), false);
    await expect(upload(String(MIB), 0, MIB, budget).result).rejects.toThrow('overloaded');
    expect(budget.inFlightBytes()).toBe(100 * KIB);
  });
});

test('a body that ends before its length is none: memory nobody wrote to is never handed on', async () => {
  const { budget, result, send } = upload('1000');
  send(bodyOf(1, 999), true);
  await expect(result).rejects.toThrow('request_aborted');
  expect(budget.inFlightBytes()).toBe(0);
});

test('an empty body is empty', async () => {
  for (const contentLength of ['0', '']) {
    const { result, send } = upload(contentLength);
    send(new Uint8Array(0), true);
    expect((await result).body.byteLength).toBe(0);
  }
});
