import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ERROR_S, openApiBench, REVALIDATE_S, type ApiBench } from '../fixtures/api-bench.ts';
import { eventually } from '../fixtures/eventually.ts';
import { createLatch } from '../fixtures/latch.ts';
import { counting } from '../fixtures/upstream-app.ts';

let bench: ApiBench;

beforeEach(async () => {
  bench = await openApiBench();
});
afterEach(async () => bench.close());

describe('a cached route', () => {
  it.each([
    ['/api/areas/buy', 3600],
    ['/api/property-types/rent', 3600],
    ['/api/property/valuation', 300],
  ])('asks once for %s and serves it for %i s, with its age', async (path, ttlS) => {
    const { ask, app, clock } = bench;
    const first = await ask(path);
    expect(first.trace).toMatchObject({ kind: 'miss', stored: true });
    clock.advance((ttlS - 1) * 1000);
    const second = await ask(path);
    expect(second).toMatchObject({ status: 200, text: first.text, trace: { kind: 'hit', ttlS: 1 } });
    expect(second.headers).toMatchObject({ age: String(ttlS - 1), 'content-type': 'application/json' });
    expect(app.calls).toEqual([`GET ${path}`]);
    clock.advance((REVALIDATE_S + ERROR_S + 2) * 1000);
    expect((await ask(path)).trace).toMatchObject({ kind: 'miss' });
  });

  it('takes the order of the query for nothing, but not its values', async () => {
    const { ask, app } = bench;
    await ask('/api/areas/buy?b=2&a=1&a=0');
    expect((await ask('/api/areas/buy?a=1&a=0&b=2')).trace.kind).toBe('hit');
    expect((await ask('/api/areas/buy?a=0&a=1&b=2')).trace.kind).toBe('miss');
    expect((await ask('/api/areas/buy')).trace.kind).toBe('miss');
    expect(app.calls).toHaveLength(3);
  });

  it('answers HEAD from what is kept for GET, and passes it on otherwise', async () => {
    const { ask, app } = bench;
    expect((await ask('/api/areas/buy', {}, 'HEAD')).trace.kind).toBe('bypass');
    await ask('/api/areas/buy');
    expect((await ask('/api/areas/buy', {}, 'HEAD')).trace.kind).toBe('hit');
    expect(app.calls).toEqual(['HEAD /api/areas/buy', 'GET /api/areas/buy']);
  });

  it('asks once for many who ask at once', async () => {
    const { ask, app, api } = bench;
    const latch = createLatch();
    app.on('/api/any/slow', (_request, response) => void latch.opened.then(() => response.end('slow')));
    const asked = Array.from({ length: 100 }, async () => ask('/api/any/slow'));
    await eventually(() => app.calls.length === 1, 'one request came');
    latch.open();
    const answers = await Promise.all(asked);
    expect(new Set(answers.map(({ text }) => text))).toEqual(new Set(['slow']));
    expect(answers.filter(({ trace }) => trace.collapsed === true)).toHaveLength(99);
    expect(app.calls).toHaveLength(1);
    expect(api.stats()).toMatchObject({ misses: 100, collapsed: 99, calls: 1 });
  });

  it('goes on for the others when the one who asked first has left', async () => {
    const { api, ask, app } = bench;
    const latch = createLatch();
    app.on('/api/any/slow', (_request, response) => void latch.opened.then(() => response.end('slow')));
    const first = new AbortController();
    const request = {
      method: 'GET',
      path: '/api/any/slow',
      query: '',
      headers: new Map(),
      clientAddress: '',
    };
    const left = api.handle({ ...request, body: undefined }, first.signal);
    const other = ask('/api/any/slow');
    await eventually(() => app.calls.length === 1, 'one request came');
    first.abort();
    await expect(left).rejects.toThrow(/abort/);
    latch.open();
    expect((await other).text).toBe('slow');
    expect(app.calls).toHaveLength(1);
  });

  it('never lets the application see what could make its answer wrong for others', async () => {
    const { ask, app } = bench;
    await ask('/api/areas/buy', {
      host: 'evil.example',
      'x-forwarded-host': 'evil.example',
      'x-original-url': '/api/admin',
      connection: 'keep-alive, x-hop',
      'x-hop': '1',
      range: 'bytes=0-1',
      'if-none-match': '"x"',
      'x-tenant': 'a',
    });
    const seen = app.requests[0]?.headers;
    expect(seen?.host).toBe(`127.0.0.1:${app.port}`);
    expect(seen).toMatchObject({ 'x-tenant': 'a', via: '1.1 afterimage' });
    for (const name of ['x-forwarded-host', 'x-original-url', 'x-hop', 'range', 'if-none-match']) {
      expect(seen).not.toHaveProperty(name);
    }
  });
});

describe('a response that varies', () => {
  it('is kept for each value of the headers that it names', async () => {
    const { ask, app } = bench;
    app.on('/api/any/tongue', (request, response) => {
      response.setHeader('Vary', 'Accept-Language');
      response.end(`in ${request.headers['accept-language']}`);
    });
    expect((await ask('/api/any/tongue', { 'accept-language': 'de' })).text).toBe('in de');
    expect((await ask('/api/any/tongue', { 'accept-language': 'en' })).text).toBe('in en');
    const again = await ask('/api/any/tongue', { 'accept-language': 'de', 'user-agent': 'other' });
    expect(again).toMatchObject({ text: 'in de', trace: { kind: 'hit' } });
    expect(app.calls).toHaveLength(2);
  });

  it('is given to nobody whose headers differ, though they waited for it together', async () => {
    const { ask, app } = bench;
    const latch = createLatch();
    app.on('/api/any/tongue', (request, response) => {
      response.setHeader('Vary', 'Accept-Language');
      void latch.opened.then(() => response.end(`in ${request.headers['accept-language']}`));
    });
    const tongues = ['de', 'en', 'de', 'fr'];
    const asked = tongues.map(async (tongue) => ask('/api/any/tongue', { 'accept-language': tongue }));
    await eventually(() => app.calls.length === 1, 'one request came');
    latch.open();
    expect((await Promise.all(asked)).map(({ text }) => text)).toEqual(['in de', 'in en', 'in de', 'in fr']);
  });

  it('is kept in two encodings at most, and never given to who cannot read it', async () => {
    const { ask, app } = bench;
    app.on('/api/any/packed', (request, response) => {
      const encoding = request.headers['accept-encoding'] ?? '';
      if (encoding === 'gzip') response.setHeader('Content-Encoding', 'gzip');
      response.end(encoding);
    });
    expect((await ask('/api/any/packed', { 'accept-encoding': 'br, gzip;q=0.8' })).text).toBe('gzip');
    expect((await ask('/api/any/packed', {})).text).toBe('identity');
    expect((await ask('/api/any/packed', { 'accept-encoding': 'deflate, gzip' })).trace.kind).toBe('hit');
    expect((await ask('/api/any/packed', { 'accept-encoding': 'gzip;q=0' })).text).toBe('identity');
  });

  it('by everything is not kept', async () => {
    const { ask, app } = bench;
    app.on('/api/any/all', counting({ Vary: '*' }));
    await ask('/api/any/all');
    expect((await ask('/api/any/all')).text).toBe('answer 2');
  });
});

describe('what is private', () => {
  it.each([['authorization'], ['cookie'], ['x-api-key']])(
    'a request with %s goes to the application, and its answer to nobody else',
    async (name) => {
      const { ask, app } = bench;
      app.on('/api/any/mine', counting());
      await ask('/api/any/mine');
      const mine = await ask('/api/any/mine', { [name]: 'secret' });
      expect(mine).toMatchObject({ text: 'answer 2', trace: { kind: 'bypass' } });
      expect(app.requests[1]?.headers[name]).toBe('secret');
      expect((await ask('/api/any/mine')).text).toBe('answer 1');
    },
  );

  it.each([
    [{ 'Set-Cookie': ['a=1', 'b=2'] }],
    [{ 'Cache-Control': 'private, max-age=60' }],
    [{ 'Cache-Control': 'no-store' }],
    [{ 'Cache-Control': 'max-age=0' }],
    [{ 'Cache-Control': 'no-cache' }],
    [{ Expires: '0' }],
  ])('a response with %o is not kept', async (headers) => {
    const { ask, app } = bench;
    app.on('/api/any/mine', counting(headers));
    expect((await ask('/api/any/mine')).text).toBe('answer 1');
    expect((await ask('/api/any/mine')).text).toBe('answer 2');
  });

  it('a response that turned out to be is given to no other who waited for it', async () => {
    const { ask, app } = bench;
    const latch = createLatch();
    let count = 0;
    app.on('/api/any/mine', (_request, response) => {
      count += 1;
      const mine = count;
      response.setHeader('Set-Cookie', `id=${mine}`);
      void latch.opened.then(() => response.end(`for ${mine}`));
    });
    const asked = Array.from({ length: 5 }, async () => ask('/api/any/mine'));
    await eventually(() => app.calls.length === 1, 'one request came');
    latch.open();
    const answers = await Promise.all(asked);
    expect(new Set(answers.map(({ text }) => text)).size).toBe(5);
    expect(new Set(answers.map(({ headers }) => headers['set-cookie'])).size).toBe(5);
  });
});

describe('what is kept for less time than the route says', () => {
  it('is kept as long as the application says', async () => {
    const { ask, app, clock } = bench;
    app.on(
      '/api/any/short',
      counting({ 'Cache-Control': 's-maxage=5, max-age=50, must-revalidate', Age: '2' }),
    );
    expect((await ask('/api/any/short')).headers['age']).toBe('2');
    clock.advance(2999);
    expect(await ask('/api/any/short')).toMatchObject({ text: 'answer 1', headers: { age: '4' } });
    clock.advance(2);
    expect((await ask('/api/any/short')).text).toBe('answer 2');
  });

  it('a 404 is kept for some seconds, an error not at all', async () => {
    const { ask, app, clock } = bench;
    app.on('/api/any/none', counting({}, 404));
    app.on('/api/any/error', counting({}, 500));
    await ask('/api/any/none');
    expect(await ask('/api/any/none')).toMatchObject({ status: 404, text: 'answer 1' });
    clock.advance(700_000);
    expect((await ask('/api/any/none')).text).toBe('answer 2');
    await ask('/api/any/error');
    expect(await ask('/api/any/error')).toMatchObject({ status: 500, text: 'answer 2' });
  });
});
