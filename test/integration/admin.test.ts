/** Protocol 3: probes, metrics, what an operator asks and does. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { onePixelPng, png } from '../fixtures/images.ts';
import { runApp, type RunningApp } from '../fixtures/run-app.ts';

let app: RunningApp;

beforeAll(async () => {
  app = await runApp();
});
afterAll(async () => app.close());

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

describe('3 probes', () => {
  test.each(['/livez', '/readyz'])('%s is 200, for GET and HEAD, and never kept', async (path) => {
    for (const method of ['GET', 'HEAD']) {
      const response = await fetch(app.base + path, { method });
      expect([method, response.status]).toEqual([method, 200]);
      expect(response.headers.get('cache-control')).toBe('no-store');
    }
  });
});

describe('3 /metrics', () => {
  test('is Prometheus text, each name with a help and a type', async () => {
    const response = await app.get('/metrics');
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    const lines = (await response.text()).split('\n').filter((line) => line !== '');
    const helped = new Set(lines.flatMap((line) => /^# HELP (\S+) \S/.exec(line)?.[1] ?? []));
    const typed = new Set(lines.flatMap((line) => /^# TYPE (\S+) \S/.exec(line)?.[1] ?? []));
    expect(helped).toEqual(typed);
    const nameOf = (line: string): string => line.split(/[{ ]/)[0] ?? '';
    const samples = new Set(lines.filter((line) => !line.startsWith('#')).map(nameOf));
    for (const name of samples) {
      expect(name).toMatch(/^afterimage_[a-z0-9_]+$/);
      expect(helped.has(name.replace(/_(bucket|sum|count)$/, '')) || helped.has(name), name).toBe(true);
    }
  });

  test('counts what happened', async () => {
    const before = await app.metric('http_requests_total');
    await app.put('counted', await onePixelPng());
    await app.get('/images/counted');
    await app.get('/images/counted', { 'if-none-match': '*' });
    await app.get('/images/nowhere');
    // Those four and the reading before; not the one that reads now, or it: both are right.
    expect((await app.metric('http_requests_total')) - before).toBeGreaterThanOrEqual(5);
    expect(await app.metric('http_memory_hits_total')).toBe(2);
    expect(await app.metric('http_not_modified_total')).toBe(1);
    expect(await app.metric('http_problems_total', '{code="image_not_found"}')).toBe(1);
    expect(await app.metric('tier_entries', '{tier="disk"}')).toBe(1);
  });

  test('on METRICS_PORT it is there and nowhere else', async () => {
    const metricsPort = await freePort();
    const apart = await runApp({ METRICS_PORT: String(metricsPort) });
    expect((await apart.get('/metrics')).status).toBe(404);
    const there = await fetch(`http://127.0.0.1:${metricsPort}/metrics`);
    expect([there.status, (await there.text()).includes('afterimage_http_requests_total')]).toEqual([
      200,
      true,
    ]);
    for (const path of ['/images/a', '/admin/stats', '/', '/livez']) {
      expect((await fetch(`http://127.0.0.1:${metricsPort}${path}`)).status).toBe(404);
    }
    await apart.close();
    await expect(fetch(`http://127.0.0.1:${metricsPort}/metrics`)).rejects.toThrow('fetch failed');
  });

  test('a METRICS_PORT that is taken stops the start, with nothing left listening', async () => {
    const [port, taken] = [await freePort(), createServer().listen(0, '127.0.0.1')];
    await once(taken, 'listening');
    const address = taken.address();
    const metricsPort = typeof address === 'object' && address !== null ? address.port : 0;
    // Node listens without sharing the port, so the second one is refused.
    await expect(runApp({ PORT: String(port), METRICS_PORT: String(metricsPort) })).rejects.toThrow(
      /port is taken/,
    );
    await expect(fetch(`http://127.0.0.1:${port}/livez`)).rejects.toThrow('fetch failed');
    taken.close();
  });
});

describe('3 /admin', () => {
  const stats = async (): Promise<Record<string, unknown>> =>
    (await app.get('/admin/stats')).json() as Promise<Record<string, unknown>>;

  test('stats carry the names that operators of the earlier caches know', async () => {
    const response = await app.get('/admin/stats');
    expect(response.headers.get('cache-control')).toBe('no-store');
    const names = [
      'cache_size',
      'cache_bytes',
      'cache_limit',
      'cache_bytes_limit',
      'size_bytes',
      'size_mb',
      'limit_mb',
      'usage_percent',
      'count',
    ];
    const more = [
      'hits',
      'misses',
      'hit_ratio',
      'origin_calls',
      'origin_calls_spared',
      'tiers',
      'workers',
      'events',
      'uploads_in_flight_bytes',
    ];
    expect(Object.keys((await response.json()) as object)).toEqual(
      expect.arrayContaining([...names, ...more]),
    );
  });

  test('DELETE /admin/cache?key= takes one image with its renderings, and says how many images that was', async () => {
    await app.put('one', await png());
    await app.get('/images/one?w=64');
    const clear = async (key: string): Promise<unknown> =>
      (await fetch(`${app.base}/admin/cache?key=${encodeURIComponent(key)}`, { method: 'DELETE' })).json();
    expect(await clear('one')).toEqual({ cleared: 1 });
    expect(await clear('one')).toEqual({ cleared: 0 });
    expect(await clear('a/../b')).toMatchObject({ code: 'image_id_invalid' });
    expect((await app.get('/images/one?w=64')).status).toBe(404);
  });

  test('DELETE /admin/cache takes everything', async () => {
    await app.put('x', await png());
    await app.put('y', await onePixelPng());
    await app.get('/images/x?w=64');
    const { count } = (await stats()) as { count: number };
    const response = await fetch(`${app.base}/admin/cache`, { method: 'DELETE' });
    expect(await response.json()).toEqual({ cleared: count });
    expect(await stats()).toMatchObject({ cache_size: 0, cache_bytes: 0, count: 0, size_bytes: 0 });
    for (const path of ['/images/x', '/images/y', '/images/x?w=64'])
      expect((await app.get(path)).status).toBe(404);
    // The cache is as good as new.
    expect((await app.put('x', await onePixelPng())).status).toBe(201);
  });
});

describe('3 /admin/image', () => {
  interface Places {
    readonly tiers: readonly Readonly<Record<string, unknown>>[];
    readonly variants: readonly { readonly variant: string; readonly tiers: readonly string[] }[];
    readonly partial: Readonly<Record<string, unknown>> | null;
  }
  const ask = async (id: string, base = app.base): Promise<Response> =>
    fetch(`${base}/admin/image?${new URLSearchParams({ id })}`);
  const locate = async (id: string, base?: string): Promise<Places> =>
    (await ask(id, base)).json() as Promise<Places>;

  test('says in which tiers an image lies, as what, until when, and what was rendered from it', async () => {
    const body = await png();
    const put = await app.put('where/is it', body, { query: '?ttl=600' });
    const { version } = (await put.json()) as { version: string };
    await app.get('/images/where/is%20it?w=64&format=webp');
    const response = await ask('where/is it');
    expect(response.headers.get('cache-control')).toBe('no-store');
    const places = (await response.json()) as Places;
    expect(places).toMatchObject({ id: 'where/is it', url: '/images/where/is%20it', partial: null });
    const facts = { present: true, unsure: false, version, mime: 'image/png', bytes: body.length };
    expect(places.tiers).toMatchObject([
      { tier: 'memory', ...facts },
      { tier: 'disk', ...facts },
    ]);
    for (const { ttl_s, stored_at, expires_at } of places.tiers) {
      expect(ttl_s).toBeGreaterThan(500);
      expect(Date.parse(String(expires_at)) - Date.parse(String(stored_at))).toBe(600_000);
    }
    expect(places.variants).toMatchObject([
      { source_version: version.slice(0, 32), tiers: ['memory', 'disk'] },
    ]);
    expect(places.variants[0]?.variant).toMatch(/^w64h\d+-\w+-webp-/);
  });

  test('after a restart an image lies on disk alone, and to ask does not bring it into memory', async () => {
    const cacheDir = await mkdtemp(join(tmpdir(), 'afterimage-places-'));
    const settings = { WARM_FROM_DISK: 'false' };
    const first = await runApp(settings, { cacheDir });
    await first.put('kept', await onePixelPng());
    await first.close();
    const second = await runApp(settings, { cacheDir });
    for (let i = 0; i < 2; i++) {
      expect((await locate('kept', second.base)).tiers).toMatchObject([
        { tier: 'memory', present: false },
        { tier: 'disk', present: true, ttl_s: null },
      ]);
    }
    await second.close();
    await rm(cacheDir, { recursive: true, force: true });
  });

  test('an image of which there is only a partial is said to be one', async () => {
    await app.put('growing', await onePixelPng(), { query: '?partial=0' });
    const { tiers, partial } = await locate('growing');
    expect(tiers.map(({ present }) => present)).toEqual([false, false]);
    expect(partial).toMatchObject({ mime: 'image/png' });
  });

  test('what is nowhere is 404, what is no id is 400', async () => {
    await app.put('gone', await onePixelPng());
    await fetch(`${app.base}/admin/cache?key=gone`, { method: 'DELETE' });
    const gone = await ask('gone');
    expect([gone.status, await gone.json()]).toMatchObject([404, { code: 'image_not_found' }]);
    for (const id of ['', 'a/../b']) {
      const refused = await ask(id);
      expect([refused.status, await refused.json()]).toMatchObject([400, { code: 'image_id_invalid' }]);
    }
  });

  test('only an administrator is told', async () => {
    const locked = await runApp({ WRITE_TOKEN: 'w'.repeat(20), ADMIN_TOKEN: 'a'.repeat(20) });
    const statusWith = async (token: string): Promise<number> =>
      (await locked.get('/admin/image?id=a', { authorization: `Bearer ${token}` })).status;
    expect((await locked.get('/admin/image?id=a')).status).toBe(401);
    expect(await statusWith('w'.repeat(20))).toBe(401);
    expect(await statusWith('a'.repeat(20))).toBe(404);
    await locked.close();
  });
});

describe('3 health of the parts', () => {
  const NOWHERE = { REDIS_ENABLED: 'true', REDIS_URL: 'redis://127.0.0.1:1', REDIS_TIMEOUT_MS: '100' };

  test('without Redis behind it a server says which parts do without, since when and why', async () => {
    const alone = await runApp(NOWHERE);
    const { health } = (await (await alone.get('/admin/stats')).json()) as {
      health: {
        parts: { part: string; state: string; up: boolean; since: string }[];
        changes: { at: string; part: string; state: string; reason: string }[];
      };
    };
    const states = Object.fromEntries(health.parts.map(({ part, state, up }) => [part, [state, up]]));
    expect(states).toMatchObject({
      'redis-backend': ['fallback', false],
      'redis-invalidation': ['lost', false],
      'events-bus': ['local', false],
    });
    const fallback = health.changes.find(({ part }) => part === 'redis-backend');
    expect(fallback).toMatchObject({ state: 'fallback', reason: expect.stringMatching(/\S/) });
    expect(health.parts.find(({ part }) => part === 'redis-backend')?.since).toBe(fallback?.at);
    expect(await alone.metric('part_up', '{part="redis-backend"}')).toBe(0);
    expect((await alone.get('/readyz')).status).toBe(200);
    await alone.close();
  });

  test('a server with nothing but its disk names that alone', async () => {
    expect(await (await app.get('/admin/stats')).json()).toMatchObject({
      health: { parts: [{ part: 'disk', state: 'working', up: true }], changes: [{ reason: 'start' }] },
    });
  });
});
