/** Protocol 1.2: what is refused, each with its code, and that nothing of it is left behind. */
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { cut, jpeg, onePixelPng, picture, sixtyMegapixelPng } from '../fixtures/images.ts';
import { openRaw } from '../fixtures/raw-http.ts';
import { runApp, type PutInit, type RunningApp } from '../fixtures/run-app.ts';

const MIB = 1024 * 1024;
const LIMIT_BYTES = MIB;

let app: RunningApp;

beforeAll(async () => {
  app = await runApp({ MAX_IMAGE_MB: '1', UPLOAD_BUDGET_MB: '4' });
});
afterAll(async () => app.close());

interface Refusal {
  readonly name: string;
  readonly body: () => Promise<Uint8Array<ArrayBuffer> | string> | Uint8Array<ArrayBuffer> | string;
  readonly init?: PutInit;
  readonly status: number;
  readonly code: string;
}

const JSON_BODY = { type: 'application/json' };
const TEXT = { type: 'text/plain' };
const text = (content: string): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(content));
const base64 = async (): Promise<string> => Buffer.from(await onePixelPng()).toString('base64');
const envelope = async (more: object): Promise<string> => JSON.stringify({ data: await base64(), ...more });
const SVG =
  '<?xml version="1.0"?><!-- x --><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>';

const bodies: readonly Refusal[] = [
  { name: 'an empty body', body: () => '', status: 400, code: 'body_empty' },
  { name: 'an empty JSON body', body: () => '', init: JSON_BODY, status: 400, code: 'body_empty' },
  { name: 'text called PNG', body: () => 'hello, I am a PNG', status: 415, code: 'not_an_image' },
  {
    name: 'a format that is not taken in',
    body: () => text('BM\0\0\0\0'),
    status: 415,
    code: 'not_an_image',
  },
  { name: 'SVG', body: () => SVG, init: { type: 'image/svg+xml' }, status: 415, code: 'svg_refused' },
  { name: 'SVG called PNG', body: () => SVG, status: 415, code: 'svg_refused' },
  {
    name: 'SVG in a data URL',
    body: () => `data:image/svg+xml;base64,${Buffer.from(SVG).toString('base64')}`,
    init: TEXT,
    status: 415,
    code: 'svg_refused',
  },
  {
    name: 'a truncated JPEG',
    body: async () => cut(await jpeg(), 4000),
    status: 422,
    code: 'image_truncated',
  },
  {
    name: 'the header of a PNG and then noise',
    body: async () => text(`\x89PNG\r\n\x1a\n${'noise'.repeat(50)}`).fill(0x89, 0, 1),
    status: 415,
    code: 'not_an_image',
  },
  { name: 'sixty megapixels in 60 KB', body: sixtyMegapixelPng, status: 422, code: 'image_too_many_pixels' },
  { name: 'broken JSON', body: () => '{"data": "', init: JSON_BODY, status: 400, code: 'json_invalid' },
  { name: 'JSON that is a list', body: () => '[]', init: JSON_BODY, status: 400, code: 'json_invalid' },
  {
    name: 'no image in the JSON',
    body: () => '{}',
    init: JSON_BODY,
    status: 400,
    code: 'envelope_without_image',
  },
  {
    name: 'broken base64',
    body: () => '{"data":"iVBORw0KGgo*"}',
    init: JSON_BODY,
    status: 400,
    code: 'base64_invalid',
  },
  {
    name: 'text that is no data URL',
    body: () => 'aGVsbG8=',
    init: TEXT,
    status: 400,
    code: 'data_url_invalid',
  },
  {
    name: 'a data URL without base64',
    body: () => 'data:image/png,abc',
    init: TEXT,
    status: 400,
    code: 'data_url_invalid',
  },
  {
    name: 'another type',
    body: () => '<p>',
    init: { type: 'text/html' },
    status: 415,
    code: 'content_type_unsupported',
  },
  {
    name: 'a bad topic in the envelope',
    body: async () => envelope({ topics: ['a*'] }),
    init: JSON_BODY,
    status: 400,
    code: 'topic_invalid',
  },
  {
    name: 'too much meta',
    body: async () => envelope({ meta: { a: 'x'.repeat(5000) } }),
    init: JSON_BODY,
    status: 400,
    code: 'event_invalid',
  },
  {
    name: 'meta that is no object',
    body: async () => envelope({ meta: [1] }),
    init: JSON_BODY,
    status: 400,
    code: 'json_invalid',
  },
  {
    name: 'meta as deep as it is long',
    body: async () => `{"data":"${await base64()}","meta":{"a":${'['.repeat(60_000)}${']'.repeat(60_000)}}}`,
    init: JSON_BODY,
    status: 400,
    code: 'event_invalid',
  },
  {
    name: 'more bytes than MAX_IMAGE_MB',
    body: () => new Uint8Array(LIMIT_BYTES + 1),
    status: 413,
    code: 'image_too_large',
  },
  {
    name: 'more bytes than MAX_IMAGE_MB once unwrapped',
    body: () => JSON.stringify({ data: Buffer.alloc(LIMIT_BYTES + 1).toString('base64') }),
    init: JSON_BODY,
    status: 413,
    code: 'image_too_large',
  },
];

const queries: readonly (readonly [string, string])[] = [
  ['?ttl=abc', 'query_invalid'],
  ['?ttl=', 'query_invalid'],
  ['?ttl=0', 'query_invalid'],
  ['?ttl=-1', 'query_invalid'],
  ['?ttl=0.001', 'query_invalid'],
  ['?ttl=31536001', 'query_invalid'],
  ['?ttl=Infinity', 'query_invalid'],
  ['?partial=-1', 'query_invalid'],
  ['?partial=1000', 'query_invalid'],
  ['?partial=1.5', 'query_invalid'],
  ['?partial=', 'query_invalid'],
  ['?topic=', 'topic_invalid'],
  ['?topic=job:*', 'topic_invalid'],
  ['?topic=a%0Ab', 'topic_invalid'],
  [`?topic=${'x'.repeat(641)}`, 'topic_invalid'],
  [`?${Array.from({ length: 17 }, (_, index) => `topic=${index}`).join('&')}`, 'topic_invalid'],
  ['?event=', 'event_invalid'],
  ['?event=a%0Adata:x', 'event_invalid'],
  ['?event=image.deleted', 'event_invalid'],
  [`?event=${'x'.repeat(65)}`, 'event_invalid'],
];

async function filesOf(folder: string): Promise<readonly string[]> {
  const all = await readdir(folder, { recursive: true, withFileTypes: true });
  return all.filter((entry) => entry.isFile()).map((entry) => entry.name);
}

async function stats(): Promise<{ uploads_in_flight_bytes: number; count: number; cache_size: number }> {
  const response = await app.get('/admin/stats');
  return response.json() as ReturnType<typeof stats>;
}

/** No image is ever accepted in this file, but by the tests that say so and take it away again. */
async function expectNothingLeft(): Promise<void> {
  await expect.poll(stats).toMatchObject({ uploads_in_flight_bytes: 0, count: 0, cache_size: 0 });
  await expect
    .poll(async () => (await filesOf(app.cacheDir)).filter((name) => !name.startsWith('.')))
    .toEqual([]);
}

describe('1.2 refused bodies', () => {
  afterEach(expectNothingLeft);

  test.each(bodies)('$name: $code', async ({ body, init, status, code }) => {
    const response = await app.put('refused', await body(), init);
    const problem = (await response.json()) as Record<string, unknown>;
    expect([response.status, problem['code']]).toEqual([status, code]);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('x-request-id')).toMatch(/^\w+-\w+$/);
    expect((await app.get('/images/refused')).status).toBe(404);
  });
});

describe('1.2 refused queries', () => {
  afterEach(expectNothingLeft);

  test.each(queries)('%s: %s', async (query, code) => {
    const response = await app.put('refused', await onePixelPng(), { query });
    expect([response.status, await response.json()]).toMatchObject([400, { code }]);
  });
});

describe('1.2 the limit on bytes', () => {
  afterEach(expectNothingLeft);

  test('exactly the limit is taken to be looked at, as raw bytes and as JSON', async () => {
    const full = new Uint8Array(LIMIT_BYTES);
    expect(await (await app.put('full', full)).json()).toMatchObject({ code: 'not_an_image' });
    const wrapped = JSON.stringify({ data: Buffer.from(full).toString('base64') });
    expect(await (await app.put('full', wrapped, JSON_BODY)).json()).toMatchObject({ code: 'not_an_image' });
  });

  test('a Content-Length over it is refused before a byte of the body has come', async () => {
    const raw = await openRaw(app.port);
    raw.send(`PUT /images/a HTTP/1.1\r\nHost: x\r\nContent-Length: ${LIMIT_BYTES + 1}\r\n\r\n`);
    expect(await raw.until(/image_too_large/)).toMatch(/^HTTP\/1.1 413 /);
    raw.close();
  });

  test('a chunked body is refused at the chunk that goes over it, and its bytes are given back', async () => {
    const raw = await openRaw(app.port);
    raw.send('PUT /images/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
    const chunk = Buffer.alloc(LIMIT_BYTES / 4);
    const sendChunk = (): void => {
      raw.send(`${chunk.byteLength.toString(16)}\r\n`);
      raw.send(chunk);
      raw.send('\r\n');
    };
    for (let count = 0; count < 4; count += 1) sendChunk();
    await expect.poll(async () => (await stats()).uploads_in_flight_bytes).toBe(LIMIT_BYTES);
    sendChunk();
    expect(await raw.until(/image_too_large/)).toMatch(/^HTTP\/1.1 413 /);
    expect((await stats()).uploads_in_flight_bytes).toBe(0);
    raw.close();
  });

  test('uploads over UPLOAD_BUDGET_MB together get 503 with Retry-After, and room comes back', async () => {
    const uploads = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const raw = await openRaw(app.port);
        raw.send(`PUT /images/a HTTP/1.1\r\nHost: x\r\nContent-Length: ${LIMIT_BYTES}\r\n\r\n`);
        // Who has sent a quarter is charged for the whole.
        raw.send(Buffer.alloc(LIMIT_BYTES / 4));
        return raw;
      }),
    );
    await expect.poll(async () => (await stats()).uploads_in_flight_bytes).toBe(4 * LIMIT_BYTES);
    const response = await app.put('b', await onePixelPng());
    expect([response.status, await response.json()]).toMatchObject([503, { code: 'overloaded' }]);
    expect(response.headers.get('retry-after')).toBe('1');
    for (const upload of uploads) upload.close();
    await expect.poll(async () => (await stats()).uploads_in_flight_bytes).toBe(0);
    expect((await app.put('b', await onePixelPng())).status).toBe(201);
    await fetch(`${app.base}/images/b`, { method: 'DELETE' });
  });
});

describe('1.2 a client that leaves', () => {
  afterEach(expectNothingLeft);

  test.each([
    ['Content-Length', `Content-Length: ${LIMIT_BYTES}\r\n\r\n`],
    ['chunks', 'Transfer-Encoding: chunked\r\n\r\n10000\r\n'],
  ])('in the middle of an upload with %s gives its bytes back', async (_, head) => {
    const raw = await openRaw(app.port);
    raw.send(`PUT /images/a HTTP/1.1\r\nHost: x\r\n${head}${'x'.repeat(1000)}`);
    await expect.poll(async () => (await stats()).uploads_in_flight_bytes).toBeGreaterThan(0);
    raw.close();
    await expect.poll(async () => (await stats()).uploads_in_flight_bytes).toBe(0);
  });

  test('while its image is decoded frees everything, whether or not the image was taken', async () => {
    const image = new Uint8Array(await picture(400, 300).png().toBuffer());
    const request = httpRequest(`${app.base}/images/left`, { method: 'PUT' });
    request.on('error', () => undefined);
    request.end(image);
    await once(request, 'finish');
    request.destroy();
    await expect.poll(async () => (await stats()).uploads_in_flight_bytes).toBe(0);
    await expect.poll(async () => app.metric('worker_jobs_running')).toBe(0);
    await fetch(`${app.base}/images/left`, { method: 'DELETE' });
  });
});
