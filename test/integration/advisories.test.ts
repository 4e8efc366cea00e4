/** What went wrong in other image servers, tried here: a test a row of the table in SECURITY.md. */
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { blackPng, photoPng, png } from '../fixtures/images.ts';
import { runApp, type RunningApp } from '../fixtures/run-app.ts';

const MIB = 1024 * 1024;
let app: RunningApp;
/** The application behind /api/: says whose cookie it got, and sends elsewhere from /api/elsewhere. */
let application: Server;
/** Something on the same machine that no request may reach. */
let bystander: Server;
let reached = 0;

async function portOf(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

beforeAll(async () => {
  bystander = createServer((_, response) => {
    reached += 1;
    response.end('secret');
  });
  const elsewhere = `http://127.0.0.1:${await portOf(bystander)}/`;
  application = createServer((request, response) => {
    if (request.url === '/api/elsewhere') response.writeHead(302, { Location: elsewhere }).end();
    else response.end(`for ${request.headers.cookie ?? 'anybody'}`);
  });
  app = await runApp({
    CACHE_SIZE_MB: '8',
    MAX_IMAGE_MB: '4',
    API_UPSTREAM: `http://127.0.0.1:${await portOf(application)}`,
    API_ROUTES: '/api/*=60',
  });
});
afterAll(async () => {
  await app.close();
  application.close();
  bystander.close();
});

async function refused(answer: Promise<Response>): Promise<string> {
  const response = await answer;
  const { code }: { readonly code: string } = await response.json();
  return `${response.status} ${code}`;
}

const post = async (
  path: string,
  body: BodyInit,
  type: string,
  more: RequestInit & { readonly duplex?: 'half' } = {},
): Promise<Response> =>
  fetch(`${app.base}${path}`, { method: 'POST', body, headers: { 'Content-Type': type }, ...more });

/** A body whose length is not announced. */
function unannounced(bytes: number): ReadableStream<Uint8Array> {
  let left = bytes;
  return new ReadableStream({
    pull(controller) {
      if (left <= 0) return controller.close();
      controller.enqueue(new Uint8Array(64 * 1024));
      left -= 64 * 1024;
    },
  });
}

describe('what was reported of other image servers does not happen here:', () => {
  it('CVE-2026-27980: a cache on disk that grows until the disk is full', async () => {
    const body = await photoPng();
    for (let at = 0; at < 16; at += 1) await app.put(`fill-${at}`, body);
    expect(body.length * 16).toBeGreaterThan(16 * MIB);
    const stats: { readonly size_bytes: number } = await (await app.get('/admin/stats')).json();
    expect(stats.size_bytes).toBeLessThanOrEqual(8 * MIB);
  });

  it('CVE-2025-59471: an image read whole into memory, whatever its size', async () => {
    expect(await refused(post('/images', new Uint8Array(5 * MIB), 'image/png'))).toBe('413 image_too_large');
    expect(await refused(post('/images', unannounced(64 * MIB), 'image/png', { duplex: 'half' }))).toBe(
      '413 image_too_large',
    );
  });

  it('CVE-2026-44577: a limit that holds for one way in only', async () => {
    const large = Buffer.alloc(5 * MIB).toString('base64');
    const asJson = JSON.stringify({ base64_data: large });
    expect(await refused(post('/images', asJson, 'application/json'))).toBe('413 image_too_large');
    const asUrl = `data:image/png;base64,${large}`;
    expect(await refused(post('/images', asUrl, 'text/plain'))).toBe('413 image_too_large');
    const event = JSON.stringify({ type: 'image_generation.completed', b64_json: large });
    const streamed = await refused(post('/images/a/stream', `data: ${event}\n\n`, 'text/event-stream'));
    expect(streamed).toMatch(/^4\d\d /);
  });

  it('CVE-2024-47831: work that strangers choose without bound', async () => {
    await app.put('a', await png());
    expect(await refused(app.get('/images/a?w=1999'))).toBe('400 size_unlisted');
    expect(await refused(app.get('/images/a?w=128&q=1000'))).toBe('400 query_invalid');
    expect(await refused(app.put('b', blackPng(9000, 9000)))).toBe('422 image_too_many_pixels');
  });

  it("CVE-2025-57752: one user's response given to another", async () => {
    for (const user of ['ann', 'bob', 'ann']) {
      const headers = { Cookie: `session=${user}` };
      expect(await (await app.get('/api/me', headers)).text()).toBe(`for session=${user}`);
    }
    expect(await (await app.get('/api/me')).text()).toBe('for anybody');
  });

  it('CVE-2025-24354, CVE-2023-30019, address tricks: a request that makes the server fetch an address', async () => {
    const address = bystander.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const hosts = ['127.0.0.1', '0.0.0.0', '[::ffff:127.0.0.1]', '2130706433', '[64:ff9b::7f00:1]'];
    for (const host of hosts) {
      const target = `http://${host}:${port}/`;
      for (const path of [
        `/images/${encodeURIComponent(target)}`,
        `/images/${target}`,
        `/api/${target}`,
        `/api/@${host}:${port}/`,
      ])
        await (await app.get(path)).arrayBuffer();
      await (await app.get('/api/x', { 'X-Forwarded-Host': `${host}:${port}` })).arrayBuffer();
    }
    expect(reached).toBe(0);
  });

  it('ipx v4: a redirect followed to where nobody allowed', async () => {
    const answer = await fetch(`${app.base}/api/elsewhere`, { redirect: 'manual' });
    expect([answer.status, reached]).toEqual([302, 0]);
  });

  it('CVE-2023-1496, CVE-2023-38633: script and local files by SVG', async () => {
    const svg = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>';
    for (const text of [svg, `<?xml version="1.0"?><!-- x -->${svg}`])
      expect(await refused(app.put('s', text, { type: 'image/png' }))).toBe('415 svg_refused');
    await app.put('p', await png());
    const { headers } = await app.get('/images/p');
    expect(headers.get('content-security-policy')).toMatch(/default-src 'none'.*sandbox/);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('imgproxy 4.0.12, CVE-2023-4863: decoders for formats that nobody needs, and old ones', async () => {
    const others = ['BM\u009a\0\0\0', 'II*\0\b\0\0\0', '%PDF-1.7', '\u001f\u008b\b\0', 'gimp xcf v011\0'];
    for (const start of others) {
      const body = new Uint8Array(Buffer.concat([Buffer.from(start, 'latin1'), Buffer.alloc(200)]));
      expect(await refused(app.put('f', body))).toBe('415 not_an_image');
    }
    const { version } = JSON.parse(readFileSync('node_modules/sharp/package.json', 'utf8'));
    const [major = 0, minor = 0] = String(version).split('.').map(Number);
    expect(major * 1000 + minor).toBeGreaterThan(32);
  });

  it('CVE-2025-54387, CVE-2026-53779: a path out of the folder', async () => {
    const tricks = ['..%2f..%2fetc%2fpasswd', '..%5c..%5cetc', 'a%5cb', 'a/..%2fb', '%00'];
    for (const id of tricks) {
      const raw = `${app.base}/images/${id}`;
      const answer = await fetch(raw, { method: 'PUT', body: await png() });
      expect([id, answer.status]).toEqual([id, 400]);
    }
    await app.put('plain-name', await png());
    // Files are named by a hash: nothing of the request is in them.
    const files = readdirSync(app.cacheDir, { recursive: true, encoding: 'utf8' });
    expect(files.length).toBeGreaterThan(1);
    expect(files.filter((file) => /plain|passwd|etc|\\|\.\./.test(file))).toEqual([]);
  });

  it('thumbor: open to everybody by default', () => {
    expect(() => loadConfig({ HOST: '0.0.0.0' })).toThrow('WRITE_TOKEN');
    expect(() => loadConfig({ SUBSCRIBE_JWT_SECRET: 'secret' })).toThrow('too short');
    expect(() => loadConfig({ SIGNED_ONLY: 'true' })).toThrow('SIGNING_KEYS');
  });
});
