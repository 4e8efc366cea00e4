/** Protocol 1.5: conditions and ranges, from memory and from disk alike. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bodyOf } from '../fixtures/entries.ts';
import { onePixelPng, webp } from '../fixtures/images.ts';
import { runApp, type RunningApp } from '../fixtures/run-app.ts';

/** A PNG with bytes after its end is a whole PNG: an image of any length, made of nothing. */
async function pngOf(bytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const tail = bodyOf(1, bytes);
  tail.set(await onePixelPng());
  return tail;
}

interface Place {
  readonly name: string;
  readonly app: RunningApp;
  readonly image: Buffer;
  readonly etag: string;
  readonly lastModified: string;
}

/** memory: a hit in the handler. disk: read whole. pieces: over 8 MiB, streamed. */
const places: Record<string, Place> = {};

async function place(name: string, settings: Record<string, string>, bytes: number): Promise<void> {
  const app = await runApp(settings);
  const image = Buffer.from(await pngOf(bytes));
  const put = await app.put('a', new Uint8Array(image));
  expect(put.status, await put.text()).toBe(201);
  const head = await fetch(`${app.base}/images/a`, { method: 'HEAD' });
  const lastModified = head.headers.get('last-modified') ?? '';
  const etag = `"${createHash('sha256').update(image).digest('hex')}"`;
  places[name] = { name, app, image, etag, lastModified };
}

beforeAll(async () => {
  await Promise.all([
    place('memory', {}, 100_000),
    place('disk', { CACHE_ENABLED: 'false' }, 100_000),
    place('pieces', { CACHE_ENABLED: 'false' }, 9_000_000),
  ]);
});
afterAll(async () => Promise.all(Object.values(places).map(async ({ app }) => app.close())));

function at(name: string): Place {
  const found = places[name];
  if (found === undefined) throw new Error(name);
  return found;
}

describe.each(['memory', 'disk', 'pieces'])('1.5 from %s', (name) => {
  const ranges = (size: number): readonly (readonly [string, number, number])[] => [
    ['bytes=0-99', 0, 99],
    ['bytes=0-0', 0, 0],
    ['bytes=100-', 100, size - 1],
    ['bytes=-100', size - 100, size - 1],
    [`bytes=-${size + 1}`, 0, size - 1],
    [`bytes=0-${size * 2}`, 0, size - 1],
    [`bytes=${size - 1}-${size - 1}`, size - 1, size - 1],
    ['BYTES=5-9', 5, 9],
  ];

  test('a range gives 206, exactly its bytes, and where they lie', async () => {
    const { app, image, etag } = at(name);
    for (const [range, from, to] of ranges(image.length)) {
      const response = await app.get('/images/a', { range });
      const got = Buffer.from(await response.arrayBuffer());
      expect([range, response.status, response.headers.get('content-range')]).toEqual([
        range,
        206,
        `bytes ${from}-${to}/${image.length}`,
      ]);
      expect(response.headers.get('content-length')).toBe(String(to - from + 1));
      expect(response.headers.get('etag')).toBe(etag);
      expect(got.equals(image.subarray(from, to + 1)), range).toBe(true);
    }
  });

  test('a range beyond the end gives 416 and says how long the image is', async () => {
    const { app, image } = at(name);
    for (const range of [`bytes=${image.length}-`, `bytes=${image.length}-${image.length + 5}`, 'bytes=-0']) {
      const response = await app.get('/images/a', { range });
      expect([range, response.status]).toEqual([range, 416]);
      expect(response.headers.get('content-range')).toBe(`bytes */${image.length}`);
      expect(response.headers.get('etag')).toBe(null);
      expect(await response.json()).toMatchObject({ code: 'range_not_satisfiable' });
    }
  });

  test('several ranges, other units and what does not parse are answered whole', async () => {
    const { app, image } = at(name);
    for (const range of [
      'bytes=0-1,5-6',
      'lines=0-1',
      'bytes=9-3',
      'bytes=-',
      'bytes=a-b',
      'bytes',
      'bytes=--5',
    ]) {
      const response = await app.get('/images/a', { range });
      expect([range, response.status]).toEqual([range, 200]);
      expect(Buffer.from(await response.arrayBuffer()).equals(image)).toBe(true);
    }
  });

  test('HEAD knows no range: it says what GET would say of the whole', async () => {
    const { app, image } = at(name);
    const response = await fetch(`${app.base}/images/a`, { method: 'HEAD', headers: { range: 'bytes=0-9' } });
    expect([response.status, response.headers.get('content-length')]).toEqual([200, String(image.length)]);
    expect(response.headers.get('content-range')).toBe(null);
  });

  test('If-None-Match gives 304 for the tag in any list, weak or strong, and for *', async () => {
    const { app, etag } = at(name);
    for (const given of [etag, `W/${etag}`, '*', `"x", ${etag}`, `W/"a,b" , W/${etag}, "c"`]) {
      const response = await app.get('/images/a', { 'if-none-match': given, range: 'bytes=0-1' });
      expect([given, response.status, await response.text()]).toEqual([given, 304, '']);
      expect(response.headers.get('etag')).toBe(etag);
      expect(response.headers.get('cache-control')).toMatch(/^(public, max-age=3600|no-store)$/);
      expect(response.headers.get('content-length')).toBe(null);
      expect(response.headers.get('content-type')).toBe(null);
    }
    for (const given of ['"x"', etag.slice(1, -1), `"${etag.slice(1, 9)}"`, `"${etag}`]) {
      expect([given, (await app.get('/images/a', { 'if-none-match': given })).status]).toEqual([given, 200]);
    }
  });

  test('If-Modified-Since counts only without If-None-Match, and only where it is a date', async () => {
    const { app, lastModified, etag } = at(name);
    const status = async (headers: Record<string, string>): Promise<number> => {
      const response = await app.get('/images/a', headers);
      await response.arrayBuffer();
      return response.status;
    };
    expect(await status({ 'if-modified-since': lastModified })).toBe(304);
    expect(await status({ 'if-modified-since': 'Fri, 31 Dec 2100 00:00:00 GMT' })).toBe(304);
    expect(await status({ 'if-modified-since': 'Thu, 01 Jan 1970 00:00:00 GMT' })).toBe(200);
    expect(await status({ 'if-modified-since': lastModified, 'if-none-match': '"x"' })).toBe(200);
    expect(await status({ 'if-modified-since': '2100', 'if-none-match': etag })).toBe(304);
    for (const junk of ['2100', '9999999999999', 'Fri, 31 Dec 2100 00:00:00', 'tomorrow']) {
      expect([junk, await status({ 'if-modified-since': junk })]).toEqual([junk, 200]);
    }
  });

  test('If-Range lets the range through for the strong tag or the exact date, else the answer is whole', async () => {
    const { app, etag, lastModified } = at(name);
    const status = async (given: string): Promise<number> => {
      const response = await app.get('/images/a', { range: 'bytes=0-9', 'if-range': given });
      await response.arrayBuffer();
      return response.status;
    };
    expect(await status(etag)).toBe(206);
    expect(await status(lastModified)).toBe(206);
    for (const other of [`W/${etag}`, '"x"', 'Fri, 31 Dec 2100 00:00:00 GMT', 'junk']) {
      expect([other, await status(other)]).toEqual([other, 200]);
    }
  });
});

test('1.5 a rendering is conditional and ranged by its own bytes', async () => {
  const { app } = at('memory');
  await app.put('b', await webp(), { type: 'image/webp' });
  const first = await app.get('/images/b?w=64');
  const whole = Buffer.from(await first.arrayBuffer());
  const etag = first.headers.get('etag') ?? '';
  expect(etag).toBe(`"${createHash('sha256').update(whole).digest('hex')}"`);
  expect((await app.get('/images/b?w=64', { 'if-none-match': etag })).status).toBe(304);
  const part = await app.get('/images/b?w=64', { range: 'bytes=-10' });
  expect(Buffer.from(await part.arrayBuffer())).toEqual(whole.subarray(-10));
});
