/** Protocol 1.3 without a rendering, 1.4 and 1.6: what an answer says of the image; 2.4: where a partial is served. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { gif, jpeg, onePixelPng, picture, webp } from '../fixtures/images.ts';
import { runApp, type RunningApp } from '../fixtures/run-app.ts';

let app: RunningApp;
let image: Uint8Array<ArrayBuffer>;
let version: string;

const versionOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

beforeAll(async () => {
  app = await runApp();
  image = new Uint8Array(await picture(48, 32).png().toBuffer());
  version = versionOf(image);
  await app.put('a', image, { query: '?topic=job:1' });
});
afterAll(async () => app.close());

function headersOf(response: Response): Record<string, string> {
  const { date: _, ...rest } = Object.fromEntries(response.headers);
  return rest;
}

describe('1.4 headers of a hit', () => {
  test('are these, each as the protocol says', async () => {
    const response = await app.get('/images/a');
    const lastModified = response.headers.get('last-modified') ?? '';
    expect(Date.now() - Date.parse(lastModified)).toBeLessThan(60_000);
    expect(headersOf(response)).toEqual({
      etag: `"${version}"`,
      'last-modified': new Date(Date.parse(lastModified)).toUTCString(),
      'cache-control': 'public, max-age=3600',
      'cache-status': 'memory; hit',
      'server-timing': 'cache;desc=memory;dur=0',
      'content-type': 'image/png',
      'content-length': String(image.byteLength),
      'accept-ranges': 'bytes',
      'repr-digest': `sha-256=:${createHash('sha256').update(image).digest('base64')}:`,
      'x-content-type-options': 'nosniff',
      'content-security-policy': expect.stringMatching(/^default-src 'none';.* sandbox$/),
      'access-control-allow-origin': '*',
      'access-control-expose-headers': expect.stringContaining('ETag'),
      'timing-allow-origin': '*',
    });
  });

  test('HEAD says what GET says, and sends no body', async () => {
    for (const path of ['/images/a', `/images/a?v=${version}`, '/images/none', '/images/a?w=1']) {
      const get = await app.get(path);
      const head = await fetch(`${app.base}${path}`, { method: 'HEAD' });
      const [ofGet, ofHead] = [headersOf(get), headersOf(head)];
      for (const headers of [ofGet, ofHead]) delete headers['x-request-id'];
      expect([path, head.status, ofHead]).toEqual([path, get.status, ofGet]);
      expect(await head.text()).toBe('');
    }
  });

  test('only `v` with the current version makes an answer immutable', async () => {
    const control = async (query: string): Promise<string | null> =>
      (await app.get(`/images/a${query}`)).headers.get('cache-control');
    expect(await control(`?v=${version}`)).toBe('public, max-age=31536000, immutable');
    expect(await control(`?v=${version}&w=64`)).toBe('public, max-age=31536000, immutable');
    // From memory this time.
    expect(await control(`?v=${version}&w=64`)).toBe('public, max-age=31536000, immutable');
    for (const query of [
      '?v=',
      `?v=${version.slice(0, 32)}`,
      `?v=${'0'.repeat(64)}`,
      `?v=${version.toUpperCase()}`,
    ]) {
      expect([query, await control(query)]).toEqual([query, 'public, max-age=3600']);
    }
  });

  test('max-age is not longer than what is left of the ttl', async () => {
    await app.put('short', image, { query: '?ttl=100' });
    const control = (await app.get('/images/short')).headers.get('cache-control') ?? '';
    const seconds = Number(/max-age=(\d+)$/.exec(control)?.[1]);
    expect(seconds).toBeGreaterThan(60);
    expect(seconds).toBeLessThanOrEqual(100);
  });

  test('parameters that nobody knows change nothing', async () => {
    expect((await app.get('/images/a?utm=1&x[]=2')).headers.get('etag')).toBe(`"${version}"`);
  });

  test('an error is never kept, and has a request id', async () => {
    const response = await app.get('/images/none');
    expect(response.status).toBe(404);
    expect(headersOf(response)).toMatchObject({
      'cache-control': 'no-store',
      'content-type': 'application/problem+json',
      'x-content-type-options': 'nosniff',
      'access-control-allow-origin': '*',
    });
    expect(response.headers.get('x-request-id')).toMatch(/^\w+-\w+$/);
    expect(await response.json()).toEqual({
      type: 'urn:afterimage:error:image_not_found',
      title: 'No such image',
      status: 404,
      code: 'image_not_found',
      detail: expect.stringContaining('image'),
    });
  });
});

describe('1.4 Cache-Status', () => {
  test('names every tier that was asked, the origin of the answer first', async () => {
    const first = await runApp({});
    await first.put('a', image);
    await first.app.close();
    const second = await runApp({}, { cacheDir: first.cacheDir });
    const cold = await second.get('/images/a');
    expect(cold.headers.get('cache-status')).toBe('disk; hit, memory; fwd=uri-miss; stored');
    expect(cold.headers.get('server-timing')).toMatch(/^cache;desc=disk;dur=\d+\.\d$/);
    expect(cold.headers.get('x-request-id')).not.toBe(null);
    expect(cold.headers.get('etag')).toBe(`"${version}"`);
    const hot = await second.get('/images/a');
    expect(hot.headers.get('cache-status')).toBe('memory; hit');
    expect(hot.headers.get('x-request-id')).toBe(null);
    const { 'x-request-id': _, ...ofCold } = headersOf(cold);
    const changing = { 'cache-status': '', 'server-timing': '' };
    expect({ ...headersOf(hot), ...changing }).toEqual({ ...ofCold, ...changing });
    await second.close();
    await first.close();
  });

  test('says of a rendering that it was made now, then that memory has it', async () => {
    expect((await app.get('/images/a?w=64&format=jpeg')).headers.get('cache-status')).toMatch(
      /^render; fwd=uri-miss; stored/,
    );
    expect((await app.get('/images/a?w=64&format=jpeg')).headers.get('cache-status')).toBe('memory; hit');
  });
});

describe('1.4 CACHE_ENABLED=false', () => {
  test('serves the same bytes, from no memory, and lets nobody keep them', async () => {
    const uncached = await runApp({ CACHE_ENABLED: 'false' });
    const put = await uncached.put('a', image);
    expect(put.status).toBe(201);
    for (let round = 0; round < 2; round += 1) {
      const response = await uncached.get(`/images/a?v=${version}`);
      expect(response.headers.get('cache-control')).toBe('no-store');
      expect(response.headers.get('cache-status')).toBe('disk; hit');
      expect(Buffer.from(await response.arrayBuffer())).toEqual(Buffer.from(image));
    }
    await uncached.close();
  });
});

describe('1.6 information', () => {
  test('is everything that is known without the bytes', async () => {
    const response = await app.get('/info/a');
    expect(response.headers.get('cache-control')).toBe('no-cache');
    const info = (await response.json()) as Record<string, unknown>;
    expect(info).toEqual({
      id: 'a',
      version,
      mime: 'image/png',
      bytes: image.byteLength,
      width: 48,
      height: 32,
      frames: 1,
      stored_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      expires_at: null,
      topics: ['job:1'],
      meta: {},
      thumbhash: expect.any(String),
      thumbnail: expect.stringMatching(/^data:image\/webp;base64,UklGR/),
      tier: 'memory',
      url: `/images/a?v=${version}`,
    });
    expect((await app.get('/info/none')).status).toBe(404);
  });

  test('PUBLIC_BASE_URL is before the address in the receipt', async () => {
    const behind = await runApp({ PUBLIC_BASE_URL: 'https://img.example/' });
    const receipt = (await (await behind.put('a b/c', image)).json()) as { url: string };
    expect(receipt.url).toBe(`https://img.example/images/a%20b/c?v=${version}`);
    await behind.close();
  });
});

describe('2.4 partials', () => {
  const put = async (id: string, bytes: Uint8Array<ArrayBuffer>, query: string): Promise<{ url: string }> => {
    const response = await app.put(id, bytes, { query, type: 'application/octet-stream' });
    expect(response.status).toBeLessThan(300);
    return response.json() as Promise<{ url: string }>;
  };
  const served = async (path: string): Promise<string> => {
    const response = await app.get(path);
    return response.ok ? versionOf(new Uint8Array(await response.arrayBuffer())) : String(response.status);
  };

  test('a partial is served where its event says, and never at the address of the image', async () => {
    const first = await put('p', await webp(), '?partial=0');
    expect(first.url).toBe(`/images/p?v=${versionOf(await webp())}&partial=1`);
    expect(await served(first.url)).toBe(versionOf(await webp()));
    expect(await served('/images/p')).toBe('404');
    expect(await served(`${first.url}&w=64`)).not.toBe('404');
    const second = await put('p', await gif(), '?partial=1');
    expect(await served(second.url)).toBe(versionOf(await gif()));
    // An older event's address gives the newest partial, but not for ever.
    expect((await app.get(first.url)).headers.get('cache-control')).toMatch(/^public, max-age=(600|5\d\d)$/);
  });

  test('a partial leaves a final image as it is, and the next final ends the partial', async () => {
    await put('q', image, '');
    const partial = await put('q', await gif(), '?partial=3');
    expect(await served('/images/q')).toBe(version);
    expect(await served(partial.url)).toBe(versionOf(await gif()));
    await put('q', await jpeg(), '');
    expect(await served('/images/q')).toBe(versionOf(await jpeg()));
    expect(await served(partial.url)).toBe('404');
  });

  test('DELETE takes the partial along', async () => {
    await put('r', image, '');
    const partial = await put('r', await onePixelPng(), '?partial=0');
    expect((await fetch(`${app.base}/images/r`, { method: 'DELETE' })).status).toBe(204);
    expect(await served(partial.url)).toBe('404');
  });
});
