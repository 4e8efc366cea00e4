/** Protocol 4: addresses and methods that are not there, and how an error looks. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openRaw } from '../fixtures/raw-http.ts';
import { runApp, type RunningApp } from '../fixtures/run-app.ts';

let app: RunningApp;

beforeAll(async () => {
  app = await runApp();
});
afterAll(async () => app.close());

/** By raw socket: fetch does not send every method. */
async function ask(method: string, path: string): Promise<{ status: number; head: string; body: string }> {
  const raw = await openRaw(app.port);
  raw.send(`${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  const [head = '', body = ''] = (await raw.ended()).split('\r\n\r\n');
  return { status: Number(head.slice(9, 12)), head, body };
}

const allowed: readonly (readonly [string, string])[] = [
  ['/images', 'POST'],
  ['/images/a', 'GET, HEAD, PUT, DELETE'],
  ['/images/a/b/c', 'GET, HEAD, PUT, DELETE'],
  ['/images/a/stream', 'GET, HEAD, PUT, POST, DELETE'],
  ['/info/a', 'GET, HEAD'],
  ['/events', 'GET'],
  ['/events/ticket', 'POST'],
  ['/ws', 'GET'],
  ['/livez', 'GET, HEAD'],
  ['/readyz', 'GET, HEAD'],
  ['/metrics', 'GET, HEAD'],
  ['/admin/stats', 'GET, HEAD'],
  ['/admin/cache', 'DELETE'],
  ['/admin/warm', 'POST'],
];

describe('4 methods', () => {
  test.each(allowed)('%s takes %s: every other method gets 405 that says so', async (path, methods) => {
    const listed = methods.split(', ');
    const others = ['GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'PATCH', 'TRACE', 'PROPFIND', 'BREW'].filter(
      (method) => !listed.includes(method),
    );
    for (const method of others) {
      const { status, head, body } = await ask(method, path);
      const allow = /\r\nAllow: ([^\r]*)/.exec(head)?.[1]?.split(', ').toSorted();
      expect([method, status, allow]).toEqual([method, 405, listed.toSorted()]);
      if (method === 'HEAD') expect(body).toBe('');
      else expect(JSON.parse(body)).toMatchObject({ code: 'method_not_allowed', status: 405 });
    }
  });

  test('GET /ws without wanting a WebSocket is told to want one', async () => {
    const { status, head, body } = await ask('GET', '/ws?topic=*');
    expect([status, JSON.parse(body)]).toMatchObject([426, { code: 'upgrade_required' }]);
    expect(head).toContain('\r\nUpgrade: websocket\r\n');
  });

  test('POST goes to an image only as its stream', async () => {
    const { status, head } = await ask('POST', '/images/a');
    expect([status, /Allow: ([^\r]*)/.exec(head)?.[1]]).toEqual([405, expect.not.stringContaining('POST')]);
  });
});

describe('4 addresses', () => {
  test.each([
    '/nowhere',
    '/images.json',
    '/imagesx/a',
    '/info',
    '/admin',
    '/admin/',
    '/admin/statsx',
    '//images/a',
    '/IMAGES/a',
    '/.env',
    '/%2e%2e/etc/passwd',
  ])('%s is none', async (path) => {
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const { status, body } = await ask(method, path);
      expect([method, status, JSON.parse(body)]).toMatchObject([method, 404, { code: 'route_not_found' }]);
    }
  });
});

describe('4 errors', () => {
  test('carry type, title, status, detail and code, and nothing of the inside', async () => {
    const { head, body } = await ask('GET', '/images/a?w=5');
    expect(head).toContain('Content-Type: application/problem+json');
    const problem = JSON.parse(body) as Record<string, unknown>;
    expect(Object.keys(problem).toSorted()).toEqual(['code', 'detail', 'status', 'title', 'type']);
    expect(problem).toMatchObject({ status: 400, type: 'urn:afterimage:error:size_unlisted' });
    expect(body).not.toMatch(/at .*\.ts|node_modules|\/src\//);
  });
});
