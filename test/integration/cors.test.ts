/** Protocol 5: which pages may read, who may write, and what no header of a client can do to an answer. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { onePixelPng } from '../fixtures/images.ts';
import { openRaw } from '../fixtures/raw-http.ts';
import { runApp, type RunningApp } from '../fixtures/run-app.ts';

const EVIL = 'https://evil.example';
const GOOD = 'https://good.example';

let open: RunningApp;
let listed: RunningApp;
let guarded: RunningApp;
let image: Uint8Array<ArrayBuffer>;

beforeAll(async () => {
  [open, listed, guarded] = await Promise.all([
    runApp(),
    runApp({ CORS_ORIGINS: `${GOOD},http://localhost:3000` }),
    runApp({ WRITE_TOKEN: 'first-token,second-token', ADMIN_TOKEN: 'admin-token' }),
  ]);
  image = await onePixelPng();
  await open.put('a', image);
  await listed.put('a', image);
  await guarded.put('a', image, { headers: { authorization: 'Bearer first-token' } });
});
afterAll(async () => Promise.all([open, listed, guarded].map(async (app) => app.close())));

const codeOf = async (response: Response): Promise<[number, string]> => [
  response.status,
  ((await response.json()) as { code: string }).code,
];

describe('5 reading, CORS_ORIGINS=*', () => {
  test('every answer says that any page may read it, and does not vary', async () => {
    for (const path of ['/images/a', '/images/a?w=64', '/images/none', '/info/a', '/nowhere']) {
      const response = await open.get(path, { origin: EVIL });
      expect([path, response.headers.get('access-control-allow-origin')]).toEqual([path, '*']);
      expect(response.headers.get('vary')).toBe(null);
    }
  });

  test('a preflight names methods and headers', async () => {
    const response = await fetch(`${open.base}/images/a`, {
      method: 'OPTIONS',
      headers: { origin: EVIL, 'access-control-request-method': 'PUT' },
    });
    expect([response.status, await response.text()]).toEqual([204, '']);
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(response.headers.get('access-control-allow-methods')).toContain('PUT');
    expect(response.headers.get('access-control-allow-headers')).toMatch(/Authorization.*Last-Event-ID/);
    expect(response.headers.get('access-control-allow-credentials')).toBe(null);
  });
});

describe('5 reading, CORS_ORIGINS a list', () => {
  const allowed = async (
    path: string,
    origin: string,
    more = {},
  ): Promise<[string | null, string | null]> => {
    const { headers } = await listed.get(path, { ...(origin === '' ? {} : { origin }), ...more });
    return [headers.get('access-control-allow-origin'), headers.get('vary')];
  };

  test('a listed origin is named, another is not; both answers vary by it, from memory and not', async () => {
    for (const path of ['/images/a', '/images/a?w=64', '/images/none', '/info/a']) {
      for (let round = 0; round < 2; round += 1) {
        expect([path, await allowed(path, GOOD)]).toEqual([path, [GOOD, 'Origin']]);
        expect([path, await allowed(path, EVIL)]).toEqual([path, [null, 'Origin']]);
        expect([path, await allowed(path, '')]).toEqual([path, [null, 'Origin']]);
        expect([path, await allowed(path, 'null')]).toEqual([path, [null, 'Origin']]);
      }
    }
  });

  test('so do 304, 206 and 416', async () => {
    for (const more of [{ 'if-none-match': '*' }, { range: 'bytes=0-1' }, { range: 'bytes=999999-' }]) {
      expect(await allowed('/images/a', GOOD, more)).toEqual([GOOD, 'Origin']);
      expect(await allowed('/images/a', EVIL, more)).toEqual([null, 'Origin']);
    }
  });

  test('format=auto varies by both', async () => {
    const [, vary] = await allowed('/images/a?w=64&format=auto', GOOD);
    expect(vary?.split(', ').toSorted()).toEqual(['Accept', 'Origin']);
  });

  test('a preflight of another origin is told nothing', async () => {
    const preflight = async (origin: string): Promise<string | null> =>
      (await fetch(`${listed.base}/images/a`, { method: 'OPTIONS', headers: { origin } })).headers.get(
        'access-control-allow-origin',
      );
    expect(await preflight(GOOD)).toBe(GOOD);
    expect(await preflight(EVIL)).toBe(null);
    // A name that begins or ends like a listed one is another name.
    for (const near of [`${GOOD}.evil.example`, `x${GOOD}`, GOOD.toUpperCase(), `${GOOD}:443`, `${GOOD}/`]) {
      expect([near, await preflight(near)]).toEqual([near, null]);
    }
  });
});

describe('5 writing without a token', () => {
  const put = async (app: RunningApp, origin: string | undefined, host?: string): Promise<string> => {
    const raw = await openRaw(app.port);
    const head = ['PUT /images/w HTTP/1.1', `Host: ${host ?? `127.0.0.1:${app.port}`}`, 'Connection: close'];
    if (origin !== undefined) head.push(`Origin: ${origin}`);
    raw.send(`${head.join('\r\n')}\r\nContent-Length: ${image.byteLength}\r\n\r\n`);
    raw.send(image);
    const answer = await raw.ended();
    return /^HTTP\/1.1 20[01]/.test(answer) ? 'taken' : (/"code":"(\w+)"/.exec(answer)?.[1] ?? answer);
  };

  test('programs and own pages may, a page of another site may not', async () => {
    expect(await put(open, undefined)).toBe('taken');
    expect(await put(open, `http://127.0.0.1:${open.port}`)).toBe('taken');
    expect(await put(open, `http://localhost:${open.port}`, `localhost:${open.port}`)).toBe('taken');
    expect(await put(open, `http://[::1]:${open.port}`, `[::1]:${open.port}`)).toBe('taken');
    expect(await put(open, EVIL)).toBe('origin_forbidden');
    expect(await put(open, 'null')).toBe('origin_forbidden');
    expect(await put(open, `http://127.0.0.1:${open.port + 1}`)).toBe('origin_forbidden');
  });

  test('nor may a page whose own name was made to point here after it was loaded', async () => {
    const host = `evil.example:${open.port}`;
    expect(await put(open, `http://${host}`, host)).toBe('origin_forbidden');
    expect(await put(open, 'http://127.0.0.1.evil.example', '127.0.0.1.evil.example')).toBe(
      'origin_forbidden',
    );
    expect(await put(open, 'http://evillocalhost', 'evillocalhost')).toBe('origin_forbidden');
  });

  test('a page that CORS_ORIGINS names may', async () => {
    expect(await put(listed, GOOD)).toBe('taken');
    expect(await put(listed, EVIL)).toBe('origin_forbidden');
  });

  test('the same guards every way to change something', async () => {
    const calls: readonly (readonly [string, string])[] = [
      ['PUT', '/images/a'],
      ['POST', '/images'],
      ['POST', '/images/a/stream'],
      ['DELETE', '/images/a'],
      ['DELETE', '/admin/cache'],
      ['POST', '/admin/warm'],
      ['GET', '/admin/stats'],
    ];
    for (const [method, path] of calls) {
      const body = method === 'PUT' || method === 'POST' ? image : null;
      const response = await fetch(open.base + path, { method, body, headers: { origin: EVIL } });
      expect([method, path, ...(await codeOf(response))]).toEqual([method, path, 403, 'origin_forbidden']);
    }
    expect((await open.get('/images/a')).status).toBe(200);
  });
});

describe('5 writing with a token', () => {
  const put = async (authorization?: string, more: Record<string, string> = {}): Promise<Response> =>
    guarded.put('b', image, {
      headers: { ...(authorization === undefined ? {} : { authorization }), ...more },
    });

  test('each of several is good, also from another site; none and a wrong one are not', async () => {
    expect((await put('Bearer first-token')).status).toBe(201);
    expect((await put('bearer second-token', { origin: EVIL })).status).toBe(200);
    for (const wrong of [
      undefined,
      'Bearer ',
      'Bearer first',
      'Bearer first-token,second-token',
      'Basic first-token',
      'first-token',
    ]) {
      const response = await put(wrong);
      expect(response.headers.get('www-authenticate')).toMatch(/^Bearer /);
      expect([wrong, ...(await codeOf(response))]).toEqual([wrong, 401, 'token_missing']);
    }
  });

  test('reading needs none; administrating has its own', async () => {
    expect((await guarded.get('/images/a')).status).toBe(200);
    expect((await guarded.get('/info/a')).status).toBe(200);
    const stats = async (token: string): Promise<number> =>
      (await guarded.get('/admin/stats', { authorization: `Bearer ${token}` })).status;
    expect([await stats('admin-token'), await stats('first-token')]).toEqual([200, 401]);
    const remove = await fetch(`${guarded.base}/images/a`, { method: 'DELETE' });
    expect(await codeOf(remove)).toEqual([401, 'token_missing']);
  });
});

describe('5 header injection', () => {
  test('nothing that a client sends comes back in a header', async () => {
    const raw = await openRaw(listed.port);
    const poison = 'X-Poison: 1';
    raw.send(
      [
        `GET /images/a?v=${encodeURIComponent(`\r\n${poison}`)}&w=64 HTTP/1.1`,
        'Host: x',
        `Origin: ${GOOD}\t${poison}`,
        `Accept: \t${poison}`,
        `If-None-Match: "\t${poison}"`,
        'Connection: close',
        '\r\n',
      ].join('\r\n'),
    );
    const [head = ''] = (await raw.ended()).split('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1.1 \d{3} /);
    expect(head).not.toContain('X-Poison');
    expect(head).not.toContain('Access-Control-Allow-Origin');
  });

  test('a Location and an address in a receipt are escaped', async () => {
    const response = await open.put(encodeURIComponent('a b"<é>'), image);
    expect(response.headers.get('location')).toBe('/images/a%20b%22%3C%C3%A9%3E');
  });
});
