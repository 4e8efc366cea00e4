import { once } from 'node:events';
import { createServer } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { onePixelPng, png } from '../fixtures/images.ts';
import { runApp, type RunningApp } from '../fixtures/run-app.ts';

let app: RunningApp | undefined;

afterEach(async () => {
  await app?.close();
  app = undefined;
});

async function run(settings: Readonly<Record<string, string>>): Promise<RunningApp> {
  app = await runApp(settings);
  return app;
}

/** All at once: how much comes in meanwhile is no matter of how busy the machine is. */
async function statuses(count: number, ask: (n: number) => Promise<Response>): Promise<number[]> {
  const one = async (_: unknown, n: number): Promise<number> => {
    const response = await ask(n);
    await response.arrayBuffer();
    return response.status;
  };
  return Promise.all(Array.from({ length: count }, one));
}

const of = (status: number, all: readonly number[]): number => all.filter((each) => each === status).length;

describe('protocol 5, limits of one address', () => {
  it('bound what memory cannot answer; hits, conditions and health are never limited', async () => {
    const server = await run({ RATE_LIMIT_MISSES_PER_S: '1' });
    const put = await server.put('hot', await png());
    expect(put.status).toBe(201);
    const etag = put.headers.get('etag') ?? '';
    const misses = await statuses(15, async (n) => server.get(`/images/none-${n}`));
    expect(of(404, misses)).toBeGreaterThanOrEqual(10);
    expect(of(404, misses) + of(429, misses)).toBe(15);
    expect(of(429, await statuses(15, async () => server.get('/cache/none')))).toBeGreaterThan(0);
    expect(of(200, await statuses(30, async () => server.get('/images/hot')))).toBe(30);
    const notModified = async () => server.get('/images/hot', { 'If-None-Match': etag });
    expect(of(304, await statuses(30, notModified))).toBe(30);
    expect(of(200, await statuses(5, async () => server.get('/livez')))).toBe(5);
    // Not on the hit path, but memory answers it all the same.
    const info = await server.get('/info/hot');
    expect(info.status).toBe(200);
  });

  it('are told as a problem, with Retry-After and the RateLimit headers, and counted', async () => {
    const server = await run({ RATE_LIMIT_MISSES_PER_S: '1' });
    let refused = await server.get('/images/none');
    for (let n = 0; n < 20 && refused.status !== 429; n += 1) refused = await server.get(`/images/none-${n}`);
    expect(refused.status).toBe(429);
    expect(await refused.json()).toMatchObject({ status: 429, code: 'rate_limited' });
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(refused.headers.get('ratelimit-policy')).toBe('"misses";q=10;w=10');
    expect(refused.headers.get('ratelimit')).toBe('"misses";r=0;t=1');
    expect(refused.headers.get('cache-control')).toBe('no-store');
    expect(await server.metric('rate_limited_total', '{limit="misses"}')).toBe(1);
    expect(await server.metric('clients_known')).toBe(1);
  });

  it('bound calls to the application behind /api/, and not what is kept of its answers', async () => {
    const application = createServer((_request, response) => response.end('answer'));
    application.listen(0, '127.0.0.1');
    await once(application, 'listening');
    const address = application.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const upstream = { API_UPSTREAM: `http://127.0.0.1:${port}`, API_ROUTES: '/api/kept/*=60' };
    const server = await run({ ...upstream, RATE_LIMIT_MISSES_PER_S: '1' });
    expect((await server.get('/api/kept/a')).status).toBe(200);
    const passed = await statuses(14, async (n) => server.get(`/api/other/${n}`));
    expect(of(200, passed)).toBeGreaterThanOrEqual(9);
    expect(of(429, passed)).toBeGreaterThan(0);
    expect(of(200, await statuses(20, async () => server.get('/api/kept/a')))).toBe(20);
    application.close();
  });

  it('bound renderings apart from lookups', async () => {
    const server = await run({ RATE_LIMIT_RENDERS_PER_S: '1', VARIANT_SIZES: '16,32', CACHE_DIR: '' });
    await server.put('a', await png());
    const asked = await statuses(14, async (n) => server.get(`/images/a?w=16&format=webp&q=${5 + n * 5}`));
    expect(of(200, asked)).toBeGreaterThanOrEqual(10);
    expect(of(429, asked)).toBeGreaterThan(0);
    // Made already.
    expect((await server.get('/images/a?w=16&format=webp&q=5')).status).toBe(200);
  });

  it('bound uploads of whoever needs no token, and not of whoever shows one', async () => {
    const body = await onePixelPng();
    const open = await run({ RATE_LIMIT_UPLOADS_PER_S: '1' });
    const uploads = await statuses(14, async (n) => open.put(`a${n}`, body));
    expect(of(201, uploads)).toBeGreaterThanOrEqual(10);
    expect(of(429, uploads)).toBeGreaterThan(0);
    await open.close();
    const guarded = await run({ RATE_LIMIT_UPLOADS_PER_S: '1', WRITE_TOKEN: 'a-token' });
    const headers = { Authorization: 'Bearer a-token' };
    expect(of(201, await statuses(14, async (n) => guarded.put(`a${n}`, body, { headers })))).toBe(14);
  });

  it('are those of the client where a listed proxy says who that is', async () => {
    const server = await run({ RATE_LIMIT_MISSES_PER_S: '1', TRUSTED_PROXIES: '127.0.0.0/8' });
    const from = (address: string) => async (n: number) =>
      server.get(`/images/none-${n}`, { 'X-Forwarded-For': address });
    expect(of(429, await statuses(14, from('198.51.100.1')))).toBeGreaterThan(0);
    expect(of(404, await statuses(9, from('198.51.100.2')))).toBe(9);
  });

  it('count streams by the same address, and believe nobody who is not listed', async () => {
    const limits = { EVENTS_MAX_PER_CLIENT: '1' };
    const open = async (server: RunningApp, address: string) => {
      const controller = new AbortController();
      const headers = { 'X-Forwarded-For': address };
      const response = await fetch(`${server.base}/events?topic=a`, { headers, signal: controller.signal });
      return { status: response.status, close: () => controller.abort() };
    };
    const listed = await run({ ...limits, TRUSTED_PROXIES: '127.0.0.1' });
    const streams = [await open(listed, '198.51.100.1'), await open(listed, '198.51.100.2')];
    streams.push(await open(listed, '198.51.100.2'));
    expect(streams.map(({ status }) => status)).toEqual([200, 200, 503]);
    streams.forEach(({ close }) => close());
    await listed.close();
    const alone = await run(limits);
    const two = [await open(alone, '198.51.100.1'), await open(alone, '198.51.100.2')];
    expect(two.map(({ status }) => status)).toEqual([200, 503]);
    two.forEach(({ close }) => close());
  });
});
