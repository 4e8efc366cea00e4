/** Protocol 1.3 and 1.5: bodies too large to hold, read from disk as the client takes them. */
import { createHash } from 'node:crypto';
import { readdir, readlink, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Found } from '../../src/cache/lookup.ts';
import type { BodyStream } from '../../src/core/entry.ts';
import { AppError } from '../../src/errors.ts';
import { createAccess } from '../../src/http/access.ts';
import { createHttpCounters } from '../../src/http/http-counters.ts';
import { createClientLimits } from '../../src/http/client-limits.ts';
import { createGetImage } from '../../src/http/routes/get-image.ts';
import type { RouteContext } from '../../src/http/routes.ts';
import { transferStats } from '../../src/http/transfers.ts';
import { startServer, type Server } from '../../src/http/server.ts';
import { createLog } from '../../src/observe/log.ts';
import { bodyOf, entryOf } from '../fixtures/entries.ts';
import { onePixelPng } from '../fixtures/images.ts';
import { openRaw, type RawConnection } from '../fixtures/raw-http.ts';
import { runApp, type RunningApp } from '../fixtures/run-app.ts';

const MIB = 1024 * 1024;
const LARGE_BYTES = 24 * MIB;

let app: RunningApp;
let large: Buffer;

/** A PNG with bytes after its end is a whole PNG. */
async function put(id: string): Promise<void> {
  const response = await app.put(id, new Uint8Array(large));
  expect(response.status, await response.text()).toBe(201);
}

beforeAll(async () => {
  app = await runApp({ CACHE_ENABLED: 'false' });
  const bytes = bodyOf(7, LARGE_BYTES);
  bytes.set(await onePixelPng());
  large = Buffer.from(bytes);
  await put('large');
});
afterAll(async () => app.close());

/** Files of the cache that this process has open; the system's table of them is the judge. */
async function openFiles(): Promise<string[]> {
  const descriptors = await readdir('/proc/self/fd');
  const targets = await Promise.all(
    descriptors.map(async (fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')),
  );
  return targets.filter((target) => target.startsWith(app.cacheDir));
}

async function expectNothingOpen(): Promise<void> {
  await expect.poll(() => transferStats().underWay).toBe(0);
  await expect.poll(openFiles).toEqual([]);
}

/** Asks and then reads nothing more than the head. */
async function stalled(path: string, port = app.port): Promise<RawConnection> {
  const raw = await openRaw(port);
  raw.socket.once('data', () => raw.socket.pause());
  raw.send(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  await raw.until(/\r\n\r\n/);
  return raw;
}

describe('1.3 a body over 8 MiB', () => {
  test('arrives whole, and to many at once', async () => {
    const digests = await Promise.all(
      Array.from({ length: 6 }, async () => {
        const response = await app.get('/images/large');
        expect(response.headers.get('content-length')).toBe(String(LARGE_BYTES));
        return createHash('sha256')
          .update(Buffer.from(await response.arrayBuffer()))
          .digest('hex');
      }),
    );
    expect(new Set(digests)).toEqual(new Set([createHash('sha256').update(large).digest('hex')]));
    await expectNothingOpen();
  });

  test('is conditional, ranged, and asked for by HEAD without being read', async () => {
    const range = await app.get('/images/large', { range: 'bytes=300000-9000000' });
    expect(range.status).toBe(206);
    expect(Buffer.from(await range.arrayBuffer()).equals(large.subarray(300_000, 9_000_001))).toBe(true);
    const head = await fetch(`${app.base}/images/large`, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, String(LARGE_BYTES)]);
    const etag = head.headers.get('etag') ?? '';
    expect((await app.get('/images/large', { 'if-none-match': etag })).status).toBe(304);
    await expectNothingOpen();
  });

  test('waits for a reader that takes nothing, without being held for it', async () => {
    const before = process.memoryUsage().arrayBuffers;
    const readers = await Promise.all(Array.from({ length: 12 }, async () => stalled('/images/large')));
    await expect.poll(() => transferStats().underWay).toBe(12);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * MIB * 12);
    // Others are served meanwhile, and one that goes on reading gets all of it.
    expect((await app.get('/images/large', { range: 'bytes=0-9' })).status).toBe(206);
    const [patient] = readers;
    patient?.socket.resume();
    expect((await patient?.ended())?.length).toBeGreaterThan(LARGE_BYTES);
    for (const reader of readers) reader.close();
    await expectNothingOpen();
  });

  test('is given up at once by a client that leaves', async () => {
    const reader = await stalled('/images/large');
    await expect.poll(() => transferStats().underWay).toBe(1);
    reader.close();
    await expectNothingOpen();
  });

  test('is read to its end though the image is deleted meanwhile', async () => {
    await put('fleeting');
    const reader = await stalled('/images/fleeting');
    await fetch(`${app.base}/images/fleeting`, { method: 'DELETE' });
    expect((await app.get('/images/fleeting')).status).toBe(404);
    reader.socket.resume();
    const [, body = ''] = (await reader.ended()).split(/\r\n\r\n(.*)/s);
    expect(Buffer.from(body, 'latin1').equals(large)).toBe(true);
    await expectNothingOpen();
  });

  test('is cut, never taken for whole, when its file shrinks under it', async () => {
    await put('shrinking');
    const files = await readdir(app.cacheDir, { recursive: true, withFileTypes: true });
    const reader = await stalled('/images/shrinking');
    for (const file of files.filter((each) => each.isFile())) {
      await truncate(join(file.parentPath, file.name), 10 * MIB);
    }
    reader.socket.resume();
    const [, body = ''] = (await reader.ended()).split(/\r\n\r\n(.*)/s);
    expect(body.length).toBeLessThan(LARGE_BYTES);
    expect(Buffer.from(body, 'latin1').equals(large.subarray(0, body.length))).toBe(true);
    // What is left of the file is never served.
    expect((await app.get('/images/shrinking')).status).toBe(404);
    await expectNothingOpen();
    await fetch(`${app.base}/admin/cache`, { method: 'DELETE' });
    await put('large');
  });

  test('is rendered, one after the other where many ask for different renderings', async () => {
    const sizes = [64, 128, 256, 320, 384, 512, 640, 768];
    const answers = await Promise.all(
      sizes.map(async (size) => app.get(`/images/large?w=${size}&format=webp`)),
    );
    expect(answers.map((answer) => answer.status)).toEqual(sizes.map(() => 200));
    await expectNothingOpen();
  });
});

describe('1.3 a large body in memory', () => {
  test('is sent as it is taken, to the end or until the client leaves', async () => {
    const hot = await runApp();
    await hot.put('large', new Uint8Array(large));
    const readers = await Promise.all(
      Array.from({ length: 4 }, async () => stalled('/images/large', hot.port)),
    );
    expect(readers[0]?.received()).toContain('Cache-Status: memory; hit');
    await expect.poll(() => transferStats().underWay).toBe(4);
    const [patient, ...others] = readers;
    for (const other of others) other.close();
    patient?.socket.resume();
    const [, received = ''] = ((await patient?.ended()) ?? '').split(/\r\n\r\n(.*)/s);
    expect(Buffer.from(received, 'latin1').equals(large)).toBe(true);
    await expect.poll(() => transferStats().underWay).toBe(0);
    await hot.close();
  });
});

/** A cache with one image, whose body does as it is told. */
async function serveScripted(bodies: readonly (BodyStream | undefined)[]): Promise<Server> {
  const entry = entryOf('image:a', bodyOf(1, 100));
  const left = [...bodies];
  const find = async (): Promise<Found | undefined> => {
    const body = left.shift();
    return body === undefined ? undefined : { entry, body, steps: [{ tier: 'disk', outcome: 'hit' }] };
  };
  // Only what a GET of an original touches.
  const cache = { peek: () => undefined, find } as unknown as Parameters<
    typeof createGetImage
  >[0]['serve']['cache'];
  const context: RouteContext = {
    access: createAccess({ write: [], admin: [] }, ['*']),
    counters: createHttpCounters(),
    log: createLog({ level: 'silent', format: 'json' }),
    running: new Set(),
  };
  const getImage = createGetImage({
    serve: { cache } as Parameters<typeof createGetImage>[0]['serve'],
    head: { maxAgeS: 60, cacheEnabled: true, allowOrigin: '*' },
    sizes: [],
    signingKeys: [],
    signedOnly: false,
    limits: createClientLimits(
      { perSecond: { misses: 0, renders: 0, uploads: 0 }, concurrent: 0 },
      { nowMs: Date.now },
    ),
    context,
  });
  return startServer({ host: '127.0.0.1', port: 0, context, routes: [], getImage });
}

function streamOf(pieces: () => AsyncGenerator<Uint8Array>): BodyStream {
  return { read: pieces };
}

async function* vanished(): AsyncGenerator<Uint8Array> {
  yield* [];
  throw new AppError('body_vanished');
}

async function* whole(): AsyncGenerator<Uint8Array> {
  yield bodyOf(1, 100);
}

async function* half(): AsyncGenerator<Uint8Array> {
  yield bodyOf(1, 50);
  throw new AppError('body_vanished');
}

async function* tooShort(): AsyncGenerator<Uint8Array> {
  yield bodyOf(1, 50);
}

async function answerOf(bodies: readonly (BodyStream | undefined)[]): Promise<string> {
  const server = await serveScripted(bodies);
  const raw = await openRaw(server.port);
  raw.send('GET /images/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  const answer = await raw.ended();
  await server.close(0);
  expect(transferStats().underWay).toBe(0);
  return answer;
}

describe('1.3 bytes that go away between being found and being read', () => {
  test('are looked for once more: gone is 404, another copy is served', async () => {
    expect(await answerOf([streamOf(vanished), undefined])).toMatch(/^HTTP\/1\.1 404 .*"image_not_found"/s);
    const answer = await answerOf([streamOf(vanished), streamOf(whole)]);
    expect(answer).toMatch(/^HTTP\/1\.1 200 .*\r\nContent-Length: 100\r\n/s);
    expect(answer.split('\r\n\r\n')[1]).toBe(Buffer.from(bodyOf(1, 100)).toString('latin1'));
  });

  test('and again are 503, to be asked for later', async () => {
    const answer = await answerOf([streamOf(vanished), streamOf(vanished)]);
    expect(answer).toMatch(/^HTTP\/1\.1 503 .*\r\nRetry-After: 1\r\n.*"body_vanished"/s);
  });

  test('in the middle cut the connection: half an image is never a whole answer', async () => {
    for (const pieces of [half, tooShort]) {
      const answer = await answerOf([streamOf(pieces)]);
      // Nothing at all, where the connection was cut before the head had left.
      expect(answer).toMatch(/^(HTTP\/1\.1 200 .*\r\nContent-Length: 100\r\n|$)/s);
      expect((answer.split('\r\n\r\n')[1] ?? '').length).toBeLessThan(100);
    }
  });
});
