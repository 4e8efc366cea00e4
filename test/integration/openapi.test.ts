import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { blackPng, cut, jpeg, png, webp } from '../fixtures/images.ts';
import { createContract } from '../fixtures/open-api.ts';
import { openRawWebSocket } from '../fixtures/raw-web-socket.ts';
import { runApp, type RunningApp } from '../fixtures/run-app.ts';

const { mounted } = vi.hoisted(() => ({ mounted: [] as (readonly [string, string])[] }));

/** The real library, and a note of every route that is given to it. */
vi.mock('uWebSockets.js', async (importOriginal) => {
  const real = await importOriginal<typeof import('uWebSockets.js')>();
  const App: typeof real.App = (options?) => {
    // The library ends the process when it is given undefined.
    const app = options === undefined ? real.App() : real.App(options);
    return new Proxy(app, {
      get:
        (target, name) =>
        (...args: readonly [string, ...unknown[]]) => {
          if (['get', 'head', 'put', 'post', 'del', 'patch', 'ws'].includes(String(name)))
            mounted.push([String(name), args[0]]);
          // The proxy hands every call through as it came.
          return (target as unknown as Record<string | symbol, (...all: unknown[]) => unknown>)[name]?.(
            ...args,
          );
        },
    });
  };
  return { ...real, App };
});

const document = JSON.parse(readFileSync(new URL('../../docs/openapi.json', import.meta.url), 'utf8'));
const TOKEN = 'write-token-of-this-test';
const AUTH = { Authorization: `Bearer ${TOKEN}` };
let app: RunningApp;
const contract = createContract(document, () => app.base);
const { call } = contract;

const asImage = (type: string, body: Uint8Array): RequestInit => ({
  body: new Uint8Array(body),
  headers: { 'Content-Type': type, ...AUTH },
});
const asJson = (value: unknown): RequestInit =>
  asImage('application/json', Buffer.from(JSON.stringify(value)));

/** Answers every method with what it was asked. */
const application = createServer((request, response) => {
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify({ method: request.method, url: request.url }));
});

beforeAll(async () => {
  application.listen(0, '127.0.0.1');
  await once(application, 'listening');
  const address = application.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  app = await runApp({
    WRITE_TOKEN: TOKEN,
    HISTORY_EVENTS: '100',
    API_UPSTREAM: `http://127.0.0.1:${port}`,
    API_ROUTES: '/api/areas/*=3600',
  });
});
afterAll(async () => {
  await app.close();
  application.close();
});

async function tryWrites(): Promise<void> {
  const base64 = Buffer.from(await png()).toString('base64');
  const first = await call(
    'PUT /images/{id}',
    '/images/a/hero?topic=job:1',
    asImage('image/png', await png()),
  );
  expect(first.status).toBe(201);
  expect((await call('PUT /images/{id}', '/images/a/hero', asJson({ base64_data: base64 }))).status).toBe(
    200,
  );
  await call('PUT /images/{id}', '/images/b?partial=0', asImage('image/webp', await webp()));
  await call(
    'PUT /images/{id}',
    '/images/c?ttl=60&event=made',
    asImage('application/octet-stream', await jpeg()),
  );
  const dataUrl = Buffer.from(`data:image/png;base64,${base64}`);
  const posted = await call('POST /images', '/images', asImage('text/plain', dataUrl));
  expect(posted.headers.get('location')).toMatch(/^\/images\/[0-9a-f-]{36}$/);
  const stream = [
    { type: 'image_generation.partial_image', b64_json: base64, partial_image_index: 0 },
    { type: 'image_generation.completed', b64_json: base64 },
  ].map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  const streamed = await call('POST /images/{id}/stream', '/images/streamed/stream?topic=job:1', {
    body: stream.join(''),
    headers: { 'Content-Type': 'text/event-stream', ...AUTH },
  });
  expect(streamed.json()['images']).toHaveLength(1);
}

async function tryReads(): Promise<void> {
  const { headers } = await call('GET /images/{id}', '/images/a/hero');
  const etag = headers.get('etag') ?? '';
  const version = etag.slice(1, -1);
  for (const query of ['?w=128', '?w=64&h=64&fit=cover&format=webp&q=50', '?format=auto', `?v=${version}`])
    await call('GET /images/{id}', `/images/a/hero${query}`);
  const notModified = await call('GET /images/{id}', '/images/a/hero', {
    headers: { 'If-None-Match': etag },
  });
  expect(notModified.status).toBe(304);
  const part = await call('GET /images/{id}', '/images/a/hero', { headers: { Range: 'bytes=0-99' } });
  expect([part.status, part.body.length]).toEqual([206, 100]);
  await call('HEAD /images/{id}', '/images/a/hero');
  await call('HEAD /images/{id}', '/images/none');
  await call('GET /images/{id}', '/images/b?partial=0');
  await call('GET /info/{id}', '/info/a/hero');
  await call('GET /info/{id}', '/info/c');
}

async function tryEvents(): Promise<void> {
  await call('GET /events', '/events?topic=*');
  await call('POST /events/ticket', '/events/ticket');
  const socket = await openRawWebSocket(app.port, '/ws?topic=*');
  contract.checkStatus('GET /ws', Number(socket.head.split(' ')[1]));
  socket.destroy();
}

async function tryRunning(): Promise<void> {
  await call('GET /livez', '/livez');
  await call('GET /readyz', '/readyz');
  await call('GET /metrics', '/metrics');
  await call('GET /admin/stats', '/admin/stats', { headers: AUTH });
  await call('GET /admin/image', '/admin/image?id=a/hero', { headers: AUTH });
  await call('GET /admin/image', '/admin/image?id=b', { headers: AUTH });
  await call('POST /admin/warm', '/admin/warm', asJson({ ids: ['a/hero', 'none'] }));
  await call('DELETE /admin/cache', '/admin/cache?key=c', { headers: AUTH });
  await call('DELETE /images/{id}', '/images/a/hero', { headers: AUTH });
  await call('DELETE /admin/cache', '/admin/cache', { headers: AUTH });
}

async function tryValues(): Promise<void> {
  const key = '/cache/project_images:42:skip:0';
  expect((await call('PUT /cache/{key}', `${key}?ttl=60`, asJson([1]))).status).toBe(201);
  expect((await call('PUT /cache/{key}', key, asJson([1, 2]))).status).toBe(200);
  expect((await call('GET /cache/{key}', key)).body.toString()).toBe('[1,2]');
  await call('DELETE /cache/{key}', key, { headers: AUTH });
  await call('PUT /cache/{key}', key, asJson([1]));
  const cleared = await call('DELETE /cache', '/cache?pattern=project_images:42:*', { headers: AUTH });
  expect(cleared.json()).toEqual({ cleared: 1 });
}

async function tryUpstream(): Promise<void> {
  const first = await call('GET /api/{path}', '/api/areas/buy?b=2&a=1');
  expect(first.headers.get('cache-status')).toContain('fwd=uri-miss');
  const second = await call('GET /api/{path}', '/api/areas/buy?a=1&b=2');
  expect(second.headers.get('cache-status')).toContain('api; hit');
  const etag = second.headers.get('etag') ?? '';
  const known = await call('GET /api/{path}', '/api/areas/buy?a=1&b=2', {
    headers: { 'If-None-Match': etag },
  });
  expect(known.status).toBe(304);
  await call('HEAD /api/{path}', '/api/areas/buy?a=1&b=2');
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) await call(`${method} /api/{path}`, '/api/other');
}

async function tryPages(): Promise<void> {
  for (const page of ['/', '/live', '/client.js', '/after-image.js']) {
    const { headers } = await call(`GET ${page}`, page);
    const again = { headers: { 'If-None-Match': headers.get('etag') ?? '' } };
    expect((await call(`GET ${page}`, page, again)).status).toBe(304);
  }
  for (const asset of ['/theme.css', '/favicon.svg', '/dashboard.js']) await call('GET /{asset}', asset);
}

describe('docs/openapi.json', () => {
  it('has every call that is answered, with status, headers, content type and body as they come', async () => {
    await tryWrites();
    await tryReads();
    await tryEvents();
    await tryPages();
    await tryValues();
    await tryUpstream();
    await tryRunning();
    expect(contract.untried()).toEqual([]);
  });

  it('has every address that the server mounts', () => {
    expect(mounted.length).toBeGreaterThan(20);
    expect(mounted.filter(([method, pattern]) => !contract.hasRoute(method, pattern))).toEqual([]);
  });

  it('has every refusal that a caller can provoke', async () => {
    const body = await png();
    const statuses: number[] = [];
    const refused = async (operation: string, url: string, init?: RequestInit): Promise<void> => {
      statuses.push((await call(operation, url, init)).status);
    };
    await refused('PUT /images/{id}', '/images/a', { body, headers: { 'Content-Type': 'image/png' } });
    await refused('PUT /images/{id}', '/images/a', asImage('image/png', new Uint8Array()));
    await refused('PUT /images/{id}', '/images/a', asJson({ nothing: 1 }));
    await refused('PUT /images/{id}', '/images/a', asImage('image/png', Buffer.from('not an image')));
    await refused('PUT /images/{id}', '/images/a', asImage('text/html', body));
    await refused('PUT /images/{id}', '/images/a', asImage('image/png', cut(body, 900)));
    await refused('PUT /images/{id}', '/images/a', asImage('image/png', blackPng(9000, 9000)));
    await refused('PUT /images/{id}', '/images/a', asImage('image/png', new Uint8Array(33 * 1024 * 1024)));
    await refused('PUT /images/{id}', '/images/a//b', asImage('image/png', body));
    await refused('GET /images/{id}', '/images/none');
    await refused('GET /images/{id}', '/images/none?w=3');
    await refused('GET /images/{id}', '/images/none?sig=x&exp=1');
    await refused('GET /info/{id}', '/info/none');
    await refused('DELETE /images/{id}', '/images/none', { headers: AUTH });
    await refused('POST /images/{id}/stream', '/images/a/other', asImage('text/event-stream', body));
    await refused('GET /events', '/events');
    await refused('GET /events', '/events?topic=a&last_event_id=x');
    await refused('GET /ws', '/ws?topic=a');
    await refused('GET /admin/stats', '/admin/stats');
    await refused('POST /admin/warm', '/admin/warm', asJson({}));
    await refused('GET /cache/{key}', '/cache/none');
    await refused('DELETE /cache', '/cache', { headers: AUTH });
    expect(statuses.filter((status) => status < 400)).toEqual([]);
    await call('PUT /images/{id}', '/images/short', asImage('image/png', body));
    const beyond = { headers: { Range: 'bytes=99999999-' } };
    expect((await call('GET /images/{id}', '/images/short', beyond)).status).toBe(416);
  });

  it('has the refusal of an address that asks too much, on each call that has one', async () => {
    const strict = {
      RATE_LIMIT_MISSES_PER_S: '1',
      RATE_LIMIT_UPLOADS_PER_S: '1',
      RATE_LIMIT_CONCURRENT: '1',
    };
    const limited = await runApp(strict);
    const { call: ask } = createContract(document, () => limited.base);
    const statuses: number[] = [];
    const body = cut(await png(), 8);
    for (let n = 0; n < 15; n += 1) {
      statuses.push((await ask('PUT /images/{id}', '/images/a', { body })).status);
      statuses.push((await ask('GET /images/{id}', `/images/none-${n}`)).status);
      statuses.push((await ask('HEAD /images/{id}', '/images/none')).status);
      statuses.push((await ask('GET /cache/{key}', '/cache/none')).status);
    }
    await limited.close();
    expect(new Set(statuses)).toEqual(new Set([404, 422, 429]));
  });

  it('is refused where an answer is not what it says', async () => {
    const broken = structuredClone(document);
    broken.components.schemas.Status.properties.status.enum = ['fine'];
    delete broken.paths['/readyz'].get.responses['200'];
    const strict = createContract(broken, () => app.base);
    await expect(strict.call('GET /livez', '/livez')).rejects.toThrow('"fine"');
    await expect(strict.call('GET /readyz', '/readyz')).rejects.toThrow('not in the document');
    await expect(strict.call('GET /nothing', '/nothing')).rejects.toThrow('not in the document');
  });
});
