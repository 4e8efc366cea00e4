import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runApp, type RunningApp } from '../fixtures/run-app.ts';
import { startUpstreamApp, type UpstreamApp } from '../fixtures/upstream-app.ts';

const MIB = 1024 * 1024;

let upstream: UpstreamApp;
let app: RunningApp;

beforeAll(async () => {
  upstream = await startUpstreamApp();
  app = await runApp({
    API_UPSTREAM: `http://127.0.0.1:${upstream.port}`,
    API_ROUTES: '/api/areas/*=3600,/api/property/valuation=300,/api/any/*=100',
    API_MAX_BODY_MB: '1',
    API_TIMEOUT_MS: '1000',
  });
});
afterAll(async () => {
  await app.close();
  await upstream.stop();
});

function cacheStatus(response: Response): string {
  return response.headers.get('cache-status') ?? '';
}

describe('GET /api/*', () => {
  it('says in Cache-Status what the cache had to do with the answer', async () => {
    const first = await app.get('/api/areas/buy?page=1');
    expect(cacheStatus(first)).toMatch(/^api; fwd=uri-miss; ttl=(3600|3599); stored$/);
    const second = await app.get('/api/areas/buy?page=1');
    expect(cacheStatus(second)).toMatch(/^api; hit; ttl=3(600|599)$/);
    expect(second.headers.get('age')).toMatch(/^[01]$/);
    expect(await second.text()).toBe(await first.text());
    const other = await app.get('/api/elsewhere');
    expect([other.status, cacheStatus(other)]).toEqual([404, 'api; fwd=bypass']);
  });

  it('confirms what the client has, by the validator that it was given', async () => {
    const first = await app.get('/api/areas/rent');
    const etag = first.headers.get('etag') ?? '';
    expect(etag).toMatch(/^"[0-9a-f]{64}"$/);
    const again = await app.get('/api/areas/rent', { 'If-None-Match': `W/${etag}` });
    expect([again.status, await again.text(), again.headers.get('etag')]).toEqual([304, '', etag]);
    expect(upstream.calls.filter((call) => call.endsWith('/rent'))).toHaveLength(1);
  });

  it('answers HEAD with the length and no body, kept or not', async () => {
    const text = await (await app.get('/api/areas/headed')).text();
    const length = String(text.length);
    for (const path of ['/api/areas/headed', '/api/property-types/x']) {
      const head = await fetch(app.base + path, { method: 'HEAD' });
      expect([head.status, await head.text()]).toEqual([200, '']);
      if (path.includes('areas')) expect(head.headers.get('content-length')).toBe(length);
    }
  });

  it('keeps the cookies of an answer apart, and gives them to its client alone', async () => {
    upstream.on('/api/any/cookies', (_request, response) =>
      response
        .writeHead(200, { 'Set-Cookie': ['a=1; Path=/', 'b=2; Expires=Fri, 01 Jan 2100 00:00:00 GMT'] })
        .end(),
    );
    const response = await app.get('/api/any/cookies');
    expect(response.headers.getSetCookie()).toEqual([
      'a=1; Path=/',
      'b=2; Expires=Fri, 01 Jan 2100 00:00:00 GMT',
    ]);
  });

  it('is a problem with a code when the application fails or is silent', async () => {
    upstream.on('/api/any/cut', (request) => void request.socket.destroy());
    upstream.on('/api/any/silent', () => undefined);
    const cut = await app.get('/api/any/cut');
    expect([cut.status, (await cut.json()).code]).toEqual([502, 'origin_failed']);
    const silent = await app.get('/api/any/silent');
    expect([silent.status, (await silent.json()).code]).toEqual([504, 'origin_timeout']);
  });
});

async function send(method: string, body: string): Promise<Response> {
  return fetch(new Request(`${app.base}/api/any/echo`, { method, body }));
}

describe('other methods', () => {
  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])('%s goes to the application with its body', async (method) => {
    upstream.on('/api/any/echo', (request, response) => {
      response.setHeader('X-Method', request.method ?? '');
      request.pipe(response);
    });
    const body = 'x'.repeat(100_000);
    const response = await send(method, body);
    expect([response.headers.get('x-method'), await response.text()]).toEqual([method, body]);
  });

  it('with a body over the limit are refused, and the application hears nothing of it', async () => {
    const before = upstream.calls.length;
    const body = 'x'.repeat(MIB + 1);
    const response = await send('POST', body);
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({ detail: 'The limit is API_MAX_BODY_MB.' });
    expect(upstream.calls).toHaveLength(before);
  });
});

describe('a body of unknown length', () => {
  it('arrives whole, however large', async () => {
    const piece = Buffer.alloc(MIB, 'abc');
    upstream.on('/api/any/long', (_request, response) => {
      for (let count = 0; count < 8; count += 1) response.write(piece);
      response.end('end');
    });
    const text = await (await app.get('/api/any/long')).text();
    expect([text.length, text.endsWith('end')]).toEqual([8 * MIB + 3, true]);
  });

  it('is cut, not ended, when the application breaks off', async () => {
    upstream.on('/api/any/broken', (_request, response) => {
      response.write(Buffer.alloc(2 * MIB));
      setTimeout(() => response.destroy(), 50);
    });
    const response = await app.get('/api/any/broken');
    await expect(response.arrayBuffer()).rejects.toThrow(/terminated/);
  });
});
