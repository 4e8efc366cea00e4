/** Readers that ask and ask, and take nothing: what the server holds for them has an end. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makePng } from '../../bench/make-png.ts';
import { eventually } from '../fixtures/eventually.ts';
import { openRaw, type RawConnection } from '../fixtures/raw-http.ts';
import { runApp, type RunningApp } from '../fixtures/run-app.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
/** What the kernel takes on both sides for a reader that stands still, and more. */
const KERNEL_BYTES = 16 * MIB;

let app: RunningApp;

beforeEach(async () => {
  app = await runApp();
});
afterEach(async () => app.close());

/** What comes of asking `asked` times at once and reading only when all is answered that will be. */
async function askUnread(request: string, asked: number): Promise<number> {
  const raw = await openRaw(app.port);
  raw.socket.pause();
  raw.send(request.repeat(asked));
  await eventually(async () => (await app.metric('http_memory_hits_total')) > 0, 'the first is answered');
  await sleep(200);
  raw.socket.resume();
  // Cut: what was not asked for one by one is not kept for whoever does not take it.
  return (await raw.ended()).length;
}

it.each([1, 4, 12, 60, 300])('hits of %i KiB that nobody reads do not pile up', async (kib) => {
  expect((await app.put('a', new Uint8Array(makePng(kib * KIB)))).status).toBe(201);
  const received = await askUnread(
    'GET /images/a HTTP/1.1\r\nHost: x\r\n\r\n',
    Math.ceil((4 * KERNEL_BYTES) / (kib * KIB)),
  );
  expect(received).toBeGreaterThan(500);
  expect(received).toBeLessThan(KERNEL_BYTES);
  expect((await app.get('/images/a')).status).toBe(200);
});

it.each([
  ['HEAD', 'HEAD /images/a HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['304', 'GET /images/a HTTP/1.1\r\nHost: x\r\nIf-None-Match: *\r\n\r\n'],
])('nor do answers without a body (%s)', async (_name, request) => {
  expect((await app.put('a', new Uint8Array(makePng(KIB)))).status).toBe(201);
  expect(await askUnread(request, 100_000)).toBeLessThan(KERNEL_BYTES);
});

it('a client that asks one after the other keeps its connection through any number of them', async () => {
  expect((await app.put('a', new Uint8Array(makePng(KIB)))).status).toBe(201);
  const raw = await openRaw(app.port);
  for (let answers = 1; answers <= 100; answers += 1) {
    raw.send('GET /images/a HTTP/1.1\r\nHost: x\r\nIf-None-Match: *\r\n\r\n');
    await eventually(() => raw.received().split('\r\n\r\n').length > answers, 'it is answered');
  }
  expect(raw.received().match(/HTTP\/1.1 304 /g)).toHaveLength(100);
  raw.close();
});

describe('of readers that take nothing, each of another image', () => {
  const IMAGES = 6;
  /** Memory has room for two of them, so the others live in the answers alone. */
  const SETTINGS = { DOWNLOAD_BUDGET_MB: '16', MEMORY_CACHE_MB: '16', CACHE_SIZE_MB: '200' };

  it('the oldest are cut beyond the budget, the newest and whoever reads are served', async () => {
    await app.close();
    app = await runApp(SETTINGS);
    const body = (at: number): Uint8Array<ArrayBuffer> => new Uint8Array(makePng(7 * MIB + at, at + 1));
    for (let at = 0; at < IMAGES; at += 1) expect((await app.put(`a${at}`, body(at))).status).toBe(201);
    const readers: RawConnection[] = [];
    for (let at = 0; at < IMAGES; at += 1) {
      const raw = await openRaw(app.port);
      raw.socket.once('data', () => raw.socket.pause());
      raw.send(`GET /images/a${at} HTTP/1.1\r\nHost: x\r\n\r\n`);
      await raw.until(/\r\n\r\n/);
      readers.push(raw);
    }
    expect(await app.metric('downloads_held_bytes')).toBeGreaterThan(7 * MIB);
    expect(await app.metric('downloads_held_bytes')).toBeLessThanOrEqual(16 * MIB);
    expect(await app.metric('downloads_cut_total')).toBeGreaterThanOrEqual(IMAGES - 2);
    const quick = await app.get('/images/a0');
    expect(Buffer.from(await quick.arrayBuffer()).equals(body(0))).toBe(true);
    readers.at(-1)?.socket.resume();
    await eventually(
      () => (readers.at(-1)?.received().length ?? 0) > 7 * MIB,
      'the newest is read to its end',
    );
    for (const raw of readers) raw.close();
    await eventually(async () => (await app.metric('downloads_held_bytes')) === 0, 'all is given back');
  });
});
