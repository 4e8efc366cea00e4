/** Protocol 1.1 and 1.2: what is taken in, under which ids, in which wrappings. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  animatedGif,
  avif,
  gif,
  jpeg,
  onePixelPng,
  picture,
  png,
  rotatedJpegWithGps,
  webp,
} from '../fixtures/images.ts';
import { runApp, type RunningApp } from '../fixtures/run-app.ts';

/** Sent as it is: fetch would take `%2e%2e` for a parent folder. */
async function ask(
  method: string,
  path: string,
  body?: Uint8Array,
): Promise<[number, Record<string, unknown>]> {
  const request = httpRequest({ port: app.port, host: '127.0.0.1', method, path }).end(body);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return [response.statusCode ?? 0, (await json(response)) as Record<string, unknown>];
}

let app: RunningApp;
let image: Uint8Array<ArrayBuffer>;
let tiny: Uint8Array<ArrayBuffer>;
let base64: string;
let version: string;

beforeAll(async () => {
  app = await runApp();
  image = new Uint8Array(await picture(48, 32).png().toBuffer());
  tiny = await onePixelPng();
  base64 = Buffer.from(image).toString('base64');
  version = createHash('sha256').update(image).digest('hex');
});
afterAll(async () => app.close());

async function receiptOf(response: Response): Promise<Record<string, unknown>> {
  expect(response.status, await response.clone().text()).toBeLessThan(300);
  return response.json() as Promise<Record<string, unknown>>;
}

async function bytesAt(path: string): Promise<Buffer> {
  return Buffer.from(await (await app.get(path)).arrayBuffer());
}

function spread(text: string): string {
  return text.replace(/.{60}/g, (line) => `${line}\r\n \t`);
}

describe('1.2 one image in every wrapping', () => {
  const urlSafe = (text: string): string =>
    text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
  const wrap = (name: string, text: string): string => JSON.stringify({ [name]: text });
  const wrappings: readonly (readonly [string, string, () => string | Uint8Array<ArrayBuffer>])[] = [
    ['raw bytes as image/png', 'image/png', () => image],
    ['raw bytes as image/jpeg, which they are not', 'image/jpeg', () => image],
    ['raw bytes as application/octet-stream', 'application/octet-stream', () => image],
    ['raw bytes as curl --data-binary says', 'application/x-www-form-urlencoded', () => image],
    ['base64_data', 'application/json', () => wrap('base64_data', base64)],
    ['b64_json', 'application/json; charset=utf-8', () => wrap('b64_json', base64)],
    ['image_data', 'Application/JSON', () => wrap('image_data', base64)],
    ['data', 'application/json', () => wrap('data', base64)],
    [
      'base64 behind a data: prefix',
      'application/json',
      () => wrap('data', `data:image/png;base64,${base64}`),
    ],
    ['base64 in lines', 'application/json', () => wrap('b64_json', spread(base64))],
    ['base64 for URLs, not padded', 'application/json', () => wrap('b64_json', urlSafe(base64))],
    ['a data URL', 'text/plain', () => `data:image/png;base64,${base64}`],
    [
      'a data URL with parameters, in lines',
      'text/plain',
      () => `DATA:image/png;name=a;base64,${spread(base64)}\n`,
    ],
  ];

  test.each(wrappings)('%s gives the same version and the same bytes', async (name, type, body) => {
    const id = `wrapped/${encodeURIComponent(name)}`;
    const receipt = await receiptOf(await app.put(id, body(), { type }));
    expect(receipt).toMatchObject({ version, bytes: image.byteLength, mime: 'image/png' });
    expect(await bytesAt(`/images/${id}`)).toEqual(Buffer.from(image));
  });

  test('without any Content-Type the bytes decide', async () => {
    const response = await fetch(`${app.base}/images/untyped`, { method: 'PUT', body: image.buffer });
    expect(await receiptOf(response)).toMatchObject({ version });
  });

  test('of several fields the first that holds text counts', async () => {
    const body = JSON.stringify({ base64_data: '', b64_json: base64, data: 'AAAA' });
    expect(await receiptOf(await app.put('fields', body, { type: 'application/json' }))).toMatchObject({
      version,
    });
  });

  test('chunked is as good as a Content-Length', async () => {
    const pieces = new ReadableStream({
      start(controller) {
        for (let at = 0; at < image.length; at += 1000) controller.enqueue(image.subarray(at, at + 1000));
        controller.close();
      },
    });
    // Node's fetch wants `duplex` for a stream; the DOM's types do not know it.
    const init = { method: 'PUT', body: pieces, duplex: 'half' } as RequestInit;
    expect(await receiptOf(await fetch(`${app.base}/images/chunked`, init))).toMatchObject({ version });
  });
});

describe('1.2 formats', () => {
  const formats = { png, jpeg, webp, avif, gif, animatedGif };
  test.each(Object.entries(formats))(
    '%s comes back byte for byte, under its own type',
    async (name, make) => {
      const bytes = await make();
      const receipt = await receiptOf(
        await app.put(`format/${name}`, bytes, { type: 'application/octet-stream' }),
      );
      const response = await app.get(`/images/format/${name}`);
      expect(response.headers.get('content-type')).toBe(receipt['mime']);
      expect(Buffer.from(await response.arrayBuffer())).toEqual(Buffer.from(bytes));
    },
  );
});

describe('1.2 the answer', () => {
  test('201 for a new image, 200 for a replaced one, with everything that is known of it', async () => {
    const first = await app.put('answers/once', image);
    expect(first.status).toBe(201);
    expect(first.headers.get('etag')).toBe(`"${version}"`);
    const receipt = await receiptOf(first);
    expect(receipt).toEqual({
      id: 'answers/once',
      version,
      bytes: image.byteLength,
      mime: 'image/png',
      width: 48,
      height: 32,
      thumbhash: expect.stringMatching(/^[A-Za-z0-9+/]{20,40}={0,2}$/),
      url: `/images/answers/once?v=${version}`,
    });
    expect((await app.put('answers/once', await jpeg())).status).toBe(200);
    expect(await bytesAt('/images/answers/once')).toEqual(Buffer.from(await jpeg()));
  });

  test('width and height are those it is displayed with', async () => {
    const receipt = await receiptOf(await app.put('answers/rotated', await rotatedJpegWithGps()));
    expect(receipt).toMatchObject({ width: 240, height: 320 });
  });

  test('POST chooses the id and says it in Location', async () => {
    const response = await fetch(`${app.base}/images`, { method: 'POST', body: image });
    expect(response.status).toBe(201);
    const receipt = await receiptOf(response);
    expect(response.headers.get('location')).toBe(`/images/${String(receipt['id'])}`);
    expect(await bytesAt(String(receipt['url']))).toEqual(Buffer.from(image));
  });

  test('what the envelope and the query say is kept; the query wins', async () => {
    const body = JSON.stringify({
      data: base64,
      topics: ['job:1', 'job:2'],
      ttl: 5,
      meta: { prompt: 'a café' },
    });
    const query = '?topic=job:2&topic=job:3&ttl=3000.5';
    const before = Date.now();
    await receiptOf(await app.put('said', body, { type: 'application/json', query }));
    const info = (await (await app.get('/info/said')).json()) as Record<string, unknown>;
    expect(info).toMatchObject({ topics: ['job:2', 'job:3', 'job:1'], meta: { prompt: 'a café' } });
    const expiresMs = Date.parse(String(info['expires_at']));
    expect(expiresMs - before).toBeGreaterThanOrEqual(3_000_500);
    expect(expiresMs - Date.now()).toBeLessThanOrEqual(3_000_500);
  });
});

describe('1.1 ids', () => {
  const ids = [
    'a',
    'encounters/123/image.jpg',
    'ümläut/日本',
    'with space',
    'a%25b',
    '%',
    'a+b',
    'x\'y"z',
    '...',
    'e\u0301',
  ];
  test.each(ids)('%j is one image, however it is escaped', async (id) => {
    const path = id.split('/').map(encodeURIComponent).join('/');
    const receipt = await receiptOf(await app.put(path, tiny));
    expect(receipt).toMatchObject({ id, url: expect.stringContaining(`/images/${path}?v=`) });
    expect((await app.get(String(receipt['url']))).status).toBe(200);
    const every = Buffer.from(id).toString('hex').replace(/../g, '%$&');
    expect((await app.get(`/images/${every}`)).status).toBe(200);
  });

  test('512 characters are an id, also where each takes nine in the address; 513 are none', async () => {
    const longest = encodeURIComponent('あ'.repeat(512));
    await receiptOf(await app.put(longest, tiny));
    expect((await app.get(`/images/${longest}`)).status).toBe(200);
    const tooLong = await app.put('a'.repeat(513), tiny);
    expect(await tooLong.json()).toMatchObject({ code: 'image_id_invalid' });
  });

  const refused = [
    '',
    'a//b',
    'a/',
    '%2e',
    'a/%2E%2e/b',
    'a%00b',
    'a%0d%0aX:1',
    'a%3fb',
    'a%23b',
    'a%5cb',
    '%',
    '%zz',
    '%ff',
    '%ed%a0%80',
  ];
  test.each(refused)('%j is no id, whatever is done with it', async (path) => {
    for (const method of ['PUT', 'GET', 'DELETE']) {
      const body = method === 'PUT' ? tiny : undefined;
      expect([method, ...(await ask(method, `/images/${path}`, body))]).toMatchObject([
        method,
        400,
        { code: 'image_id_invalid' },
      ]);
    }
    expect(await ask('GET', `/info/${path}`)).toMatchObject([400, { code: 'image_id_invalid' }]);
  });
});

describe('1.2 taking an image away', () => {
  test('204, then 404, and nothing of it is left: neither the image nor its renderings', async () => {
    await app.put('gone/1', image);
    const entries = async (): Promise<number[]> =>
      Promise.all(['memory', 'disk'].map(async (tier) => app.metric('tier_entries', `{tier="${tier}"}`)));
    expect((await app.get('/images/gone/1?w=64')).status).toBe(200);
    const before = await entries();
    const response = await fetch(`${app.base}/images/gone/1`, { method: 'DELETE' });
    expect([response.status, await response.text()]).toEqual([204, '']);
    expect(await entries()).toEqual(before.map((count) => count - 2));
    for (const path of ['/images/gone/1', '/images/gone/1?w=64', '/info/gone/1']) {
      expect((await app.get(path)).status).toBe(404);
    }
    const again = await fetch(`${app.base}/images/gone/1`, { method: 'DELETE' });
    expect([again.status, await again.json()]).toMatchObject([404, { code: 'image_not_found' }]);
  });

  test('a ttl takes it away by itself', async () => {
    await receiptOf(await app.put('gone/2', image, { query: '?ttl=0.3' }));
    const response = await app.get('/images/gone/2');
    expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'public, max-age=0']);
    await response.arrayBuffer();
    await expect.poll(async () => (await app.get('/images/gone/2')).status, { timeout: 3000 }).toBe(404);
    expect((await fetch(`${app.base}/images/gone/2`, { method: 'DELETE' })).status).toBe(404);
  });
});
