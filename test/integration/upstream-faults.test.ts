import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BODY_BYTES_MAX, ERROR_S, openApiBench, REVALIDATE_S, type ApiBench } from '../fixtures/api-bench.ts';
import { eventually } from '../fixtures/eventually.ts';
import { counting } from '../fixtures/upstream-app.ts';

let bench: ApiBench;

beforeEach(async () => {
  bench = await openApiBench();
});
afterEach(async () => bench.close());

describe('a response whose time is over', () => {
  it('is served once more while the new one is fetched behind it', async () => {
    const { ask, app, clock } = bench;
    app.on('/api/any/news', counting());
    await ask('/api/any/news');
    clock.advance(101_000);
    expect(await ask('/api/any/news')).toMatchObject({
      text: 'answer 1',
      trace: { kind: 'stale', ttlS: -1 },
    });
    await eventually(async () => (await ask('/api/any/news')).text === 'answer 2', 'it was renewed');
    expect(app.calls).toHaveLength(2);
  });

  it('is confirmed by its validator without being sent again', async () => {
    const { ask, app, clock } = bench;
    app.on('/api/any/same', (request, response) => {
      response.setHeader('ETag', '"v1"');
      if (request.headers['if-none-match'] === '"v1"') response.writeHead(304).end();
      else response.end('the same');
    });
    await ask('/api/any/same');
    clock.advance((100 + REVALIDATE_S + 1) * 1000);
    expect(await ask('/api/any/same')).toMatchObject({
      status: 200,
      text: 'the same',
      trace: { kind: 'expired', stored: true },
    });
    expect((await ask('/api/any/same')).trace.kind).toBe('hit');
    expect(app.calls).toHaveLength(2);
  });

  it('is served while the application is dead, within its window, and renewed when it is back', async () => {
    const { ask, app, clock, api } = bench;
    app.on('/api/any/alive', counting());
    await ask('/api/any/alive');
    await app.stop();
    clock.advance((100 + REVALIDATE_S + 1) * 1000);
    expect(await ask('/api/any/alive')).toMatchObject({
      text: 'answer 1',
      trace: { kind: 'stale', afterError: true },
    });
    await ask('/api/any/alive');
    expect(api.stats()).toMatchObject({ staleAfterError: 2, errors: 1 });
    await expect(ask('/api/any/other')).rejects.toMatchObject({ code: 'origin_failed' });
    clock.advance((ERROR_S - REVALIDATE_S) * 1000);
    await expect(ask('/api/any/alive')).rejects.toMatchObject({ code: 'origin_failed' });
    await app.start();
    expect((await ask('/api/any/alive')).text).toBe('answer 2');
  });

  it('is preferred to an error of the application', async () => {
    const { ask, app, clock } = bench;
    let isBroken = false;
    app.on('/api/any/shaky', (_request, response) => response.writeHead(isBroken ? 503 : 200).end('body'));
    await ask('/api/any/shaky');
    isBroken = true;
    clock.advance((100 + REVALIDATE_S + 1) * 1000);
    expect(await ask('/api/any/shaky')).toMatchObject({
      status: 200,
      trace: { kind: 'stale', afterError: true },
    });
  });

  it('is not served stale where the application forbids it', async () => {
    const { ask, app, clock } = bench;
    app.on('/api/any/strict', counting({ 'Cache-Control': 'must-revalidate' }));
    await ask('/api/any/strict');
    await app.stop();
    clock.advance(101_000);
    await expect(ask('/api/any/strict')).rejects.toMatchObject({ code: 'origin_failed' });
  });
});

describe('an application that fails', () => {
  it('gets its deadline for the first byte and for each next one', async () => {
    await bench.close();
    bench = await openApiBench(200);
    const { ask, app } = bench;
    app.on('/api/any/silent', () => undefined);
    app.on('/api/any/stalls', (_request, response) => void response.writeHead(200).write('begun'));
    await expect(ask('/api/any/silent')).rejects.toMatchObject({ code: 'origin_timeout' });
    await expect(ask('/api/any/stalls')).rejects.toMatchObject({ code: 'origin_timeout' });
  });

  it('never has half an answer kept', async () => {
    const { ask, app } = bench;
    app.on('/api/any/half', (_request, response) => {
      response.writeHead(200, { 'Content-Length': '100' });
      response.write('half');
      setImmediate(() => response.destroy());
    });
    await expect(ask('/api/any/half')).rejects.toMatchObject({ code: 'origin_failed' });
    app.on('/api/any/half', (_request, response) => response.end('whole'));
    expect((await ask('/api/any/half')).text).toBe('whole');
  });

  it('is left alone after several failures in a row, until a probe succeeds', async () => {
    const { ask, app, clock, api } = bench;
    await app.stop();
    for (let count = 0; count < 7; count += 1) {
      await expect(ask('/api/any/x')).rejects.toMatchObject({ code: 'origin_failed' });
    }
    expect(api.stats().errors).toBe(5);
    await app.start();
    await expect(ask('/api/areas/buy')).rejects.toMatchObject({ code: 'origin_failed' });
    clock.advance(1001);
    expect((await ask('/api/areas/buy')).status).toBe(200);
  });
});

describe('a large body', () => {
  it.each([
    ['of known length', { 'Content-Length': String(BODY_BYTES_MAX + 1) }],
    ['of unknown length', {}],
  ])('%s passes through and is not kept', async (_what, headers) => {
    const { ask, app, cache } = bench;
    app.on('/api/any/large', (_request, response) =>
      response.writeHead(200, headers).end('x'.repeat(BODY_BYTES_MAX + 1)),
    );
    expect((await ask('/api/any/large')).text).toHaveLength(BODY_BYTES_MAX + 1);
    expect((await ask('/api/any/large')).trace.stored).toBeUndefined();
    expect(app.calls).toHaveLength(2);
    expect(cache.stats().tiers[0]?.entries).toBe(0);
  });
});

describe('a request that changes something', () => {
  it('goes to the application with who asked, and what was kept of the address is gone', async () => {
    const { ask, app } = bench;
    app.on('/api/any/thing', counting());
    await ask('/api/any/thing');
    const changed = await ask('/api/any/thing', { 'x-forwarded-for': '198.51.100.1' }, 'POST');
    expect(changed.trace.kind).toBe('bypass');
    expect(app.requests[1]?.headers['x-forwarded-for']).toBe('198.51.100.1, 192.0.2.7');
    expect(app.requests[1]?.headers['content-length']).toBe('4');
    expect((await ask('/api/any/thing')).text).toBe('answer 3');
  });

  it('takes with it what was kept for other values of what the response varies by', async () => {
    const { ask, app } = bench;
    const answer = counting({ Vary: 'Accept-Language' });
    app.on('/api/any/thing', answer);
    await ask('/api/any/thing', { 'accept-language': 'de' });
    await ask('/api/any/thing', { 'accept-language': 'en' });
    await ask('/api/any/thing', {}, 'DELETE');
    expect((await ask('/api/any/thing', { 'accept-language': 'en' })).text).toBe('answer 4');
    expect((await ask('/api/any/thing', { 'accept-language': 'de' })).text).toBe('answer 5');
  });
});

describe('an address that leads elsewhere', () => {
  it.each([
    ['/api/../admin', 'route_not_found'],
    ['/api/%2e%2e/admin', 'route_not_found'],
    ['/api/areas/..%2f..%2fadmin', 'route_not_found'],
    ['/api/areas\\..\\admin', 'route_not_found'],
    ['/apix', 'route_not_found'],
    ['http://evil.example/api/areas/buy', 'route_not_found'],
    ['/api/areas/%zz', 'query_invalid'],
    ['/api/areas/b uy', 'query_invalid'],
    [`/api/areas/${'x'.repeat(9000)}`, 'query_invalid'],
  ])('%s is refused and never sent', async (target, code) => {
    await expect(bench.ask(target)).rejects.toMatchObject({ code });
    expect(bench.app.calls).toEqual([]);
  });

  it('a redirect is passed on, not followed, and does not tell the address of the application', async () => {
    const { ask, app } = bench;
    app.on('/api/any/moved', (_request, response) =>
      response.writeHead(302, { Location: `http://127.0.0.1:${app.port}/api/areas/buy` }).end(),
    );
    expect(await ask('/api/any/moved')).toMatchObject({
      status: 302,
      headers: { location: '/api/areas/buy' },
    });
    expect(app.calls).toHaveLength(1);
  });
});
