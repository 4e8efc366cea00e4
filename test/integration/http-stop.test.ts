/** Protocol 3, the end of it: what is under way is finished, what comes new is refused, the process ends with 0. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { bodyOf } from '../fixtures/entries.ts';
import { onePixelPng, photoPng } from '../fixtures/images.ts';
import { openRaw } from '../fixtures/raw-http.ts';
import { runApp, type RunningApp } from '../fixtures/run-app.ts';

const LAUNCH = fileURLToPath(new URL('../../dist/src/launch.cjs', import.meta.url));
const LARGE_BYTES = 24 * 1024 * 1024;

let app: RunningApp | undefined;

async function started(settings: Record<string, string> = {}): Promise<RunningApp> {
  app = await runApp({ STOP_GRACE_S: '10', ...settings });
  return app;
}

afterEach(async () => app?.close());

test('a rendering and an upload that are under way are answered, and say that the connection ends', async () => {
  const { base, put, port, app: inner } = await started();
  await put('photo', await photoPng());
  const image = await onePixelPng();
  const upload = await openRaw(port);
  upload.send(`PUT /images/late HTTP/1.1\r\nHost: x\r\nContent-Length: ${image.byteLength}\r\n\r\n`);
  const rendering = fetch(`${base}/images/photo?w=640&format=webp`);
  await expect.poll(async () => (await app?.metric('worker_jobs_running')) ?? 0).toBe(1);
  const closed = inner.close();
  upload.send(image);
  expect(await upload.until(/"version"/)).toMatch(/^HTTP\/1\.1 201 .*\r\nConnection: close\r\n/s);
  const response = await rendering;
  expect([response.status, response.headers.get('connection')]).toEqual([200, 'close']);
  expect((await response.arrayBuffer()).byteLength).toBeGreaterThan(1000);
  await closed;
});

test('a download that is under way arrives whole', async () => {
  const { put, port, app: inner } = await started({ CACHE_ENABLED: 'false' });
  const large = bodyOf(3, LARGE_BYTES);
  large.set(await onePixelPng());
  expect((await put('large', large)).status).toBe(201);
  const raw = await openRaw(port);
  raw.socket.once('data', () => raw.socket.pause());
  raw.send('GET /images/large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  await raw.until(/\r\n\r\n/);
  const closed = inner.close();
  raw.socket.resume();
  const [, body = ''] = (await raw.ended()).split(/\r\n\r\n(.*)/s);
  const digest = createHash('sha256').update(Buffer.from(body, 'latin1')).digest('hex');
  expect(digest).toBe(createHash('sha256').update(large).digest('hex'));
  await closed;
});

test('new connections are refused at once; a connection that was open learns that it is over', async () => {
  const { put, port, app: inner } = await started();
  await put('a', await onePixelPng());
  const kept = await openRaw(port);
  kept.send('GET /images/a HTTP/1.1\r\nHost: x\r\n\r\n');
  expect(await kept.until(/\r\n\r\n/)).not.toContain('Connection: close');
  // Holds the stop open.
  const slow = await openRaw(port);
  slow.send('PUT /images/b HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n');
  await expect.poll(async () => app?.metric('uploads_in_flight_bytes')).toBe(10);
  const closed = inner.close();
  kept.send('GET /images/a HTTP/1.1\r\nHost: x\r\n\r\nGET /readyz HTTP/1.1\r\nHost: x\r\n\r\n');
  expect(await kept.until(/not_ready/)).toMatch(/Connection: close\r\n.*HTTP\/1\.1 503 /s);
  await expect(openRaw(port)).rejects.toThrow('ECONNREFUSED');
  slow.close();
  await closed;
  await kept.ended();
});

test('what takes longer than the grace is cut', async () => {
  const { put, port, app: inner } = await started({ STOP_GRACE_S: '1' });
  await put('a', await onePixelPng());
  const slow = await openRaw(port);
  slow.send('PUT /images/b HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n');
  await expect.poll(async () => app?.metric('uploads_in_flight_bytes')).toBe(10);
  await inner.close();
  expect(await slow.ended()).toBe('');
});

test('SIGTERM ends the process with 0 when the last answer is out', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'afterimage-stop-'));
  const env = {
    PATH: process.env['PATH'],
    PORT: '0',
    CACHE_DIR: join(folder, 'cache'),
    LOG_FORMAT: 'json',
    STOP_GRACE_S: '10',
  };
  const child = spawn(process.execPath, [LAUNCH, 'serve'], {
    env,
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await expect.poll(() => output, { timeout: 15_000 }).toMatch(/listening on/);
  const port = Number(/"port":(\d+)/.exec(output)?.[1]);
  const image = await onePixelPng();
  const upload = await openRaw(port);
  upload.send(`PUT /images/a HTTP/1.1\r\nHost: x\r\nContent-Length: ${image.byteLength}\r\n\r\n`);
  const probe = await openRaw(port);
  const inFlight = async (): Promise<string> => {
    probe.send('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
    return probe.until(new RegExp(`uploads_in_flight_bytes ${image.byteLength}\n`));
  };
  await inFlight();
  child.kill('SIGTERM');
  await expect.poll(() => output).toMatch(/stopping/);
  upload.send(image);
  expect(await upload.until(/"version"/)).toMatch(/^HTTP\/1\.1 201 /);
  const [code] = (await once(child, 'exit')) as [number | null];
  expect(code).toBe(0);
  await rm(folder, { recursive: true, force: true });
});

test('with STOP_DELAY_S it goes on as before for so long, and only /readyz says that it will stop', async () => {
  const { base, put, app: inner } = await started({ STOP_DELAY_S: '1' });
  await put('a', await onePixelPng());
  const closed = inner.close();
  const answers = [
    await fetch(`${base}/readyz`),
    await fetch(`${base}/images/a`),
    await put('b', await onePixelPng()),
  ];
  expect(answers.map(({ status }) => status)).toEqual([503, 200, 201]);
  expect(answers.map(({ headers }) => headers.get('connection'))).not.toContain('close');
  await closed;
  await expect(fetch(`${base}/livez`)).rejects.toThrow('fetch failed');
});
