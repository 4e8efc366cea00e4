/** `afterimage serve` as an operator meets it: what it prints, how it refuses, how it ends. */
import { spawnSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { newFolder, runCli, serveCli, type CliOptions, type CliRun } from '../fixtures/run-cli.ts';

const started: CliRun[] = [];
afterEach(async () => {
  for (const cli of started.splice(0)) await cli.close();
});

async function server(env: Readonly<Record<string, string>> = {}, folder?: string) {
  const cli = await serveCli(env, folder);
  started.push(cli);
  return cli;
}

function run(args: readonly string[], options: CliOptions = {}): CliRun {
  const cli = runCli(args, options);
  started.push(cli);
  return cli;
}

test('its first log line says that the native module is loaded', async () => {
  const { out } = await server();
  expect(out().split('\n')[0]).toContain('native module loaded');
});

test('the curl lines that it prints work when pasted', async () => {
  const { says, url, folder } = await server();
  await says(/format=webp'\n/);
  const lines = (await says(/curl -sS -X PUT[^\n]+\n[^\n]+/))[0].split('\n');
  const pasted = spawnSync('bash', ['-c', lines.join('\n')], { cwd: folder, encoding: 'utf8' });
  expect(pasted.status).toBe(0);
  expect(pasted.stdout).toContain('"id":"hello.png"');
  expect(pasted.stdout).toContain('200 OK');
  expect(readdirSync(folder)).toContain('hello.webp');
  const image = await fetch(`${url}/images/hello.png`);
  expect(image.headers.get('content-type')).toBe('image/png');
});

test('the addresses that it prints are there', async () => {
  const { says } = await server();
  for (const name of ['Dashboard', 'Gallery']) {
    const [, address = ''] = await says(new RegExp(`${name} +(http\\S+)`));
    const page = await fetch(address);
    expect(page.status).toBe(200);
    expect(await page.text()).toContain('<html');
  }
});

test('with LOG_FORMAT=json every line of its output is JSON', async () => {
  const { out, url, kill, ended } = await server({ LOG_FORMAT: 'json' });
  await fetch(`${url}/livez`);
  kill('SIGTERM');
  await ended;
  for (const line of out().trim().split('\n')) expect(() => JSON.parse(line) as unknown, line).not.toThrow();
});

test.each(['SIGTERM', 'SIGINT'] as const)('%s ends it with 0', async (signal) => {
  const { kill, ended, out } = await server();
  kill(signal);
  expect(await ended).toBe(0);
  expect(out()).toContain('stopped');
});

test('a second signal ends it at once', async () => {
  const { kill, ended, says, url } = await server({ STOP_GRACE_S: '600' });
  const socket = new AbortController();
  // A body that never ends keeps the first stop waiting.
  const body = new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(10)) });
  const upload: RequestInit & { duplex: 'half' } = {
    method: 'PUT',
    body,
    duplex: 'half',
    signal: socket.signal,
  };
  const refused = fetch(`${url}/images/slow`, upload).catch(() => 'cut');
  await says(/listening/);
  await fetch(`${url}/livez`);
  kill('SIGTERM');
  await says(/stopping/);
  kill('SIGTERM');
  expect(await ended).toBe(130);
  socket.abort();
  await refused;
});

test('a bad and a misspelt setting stop the start, a line each, with 78', async () => {
  const { ended, err } = run(['serve'], { env: { PORT: 'abc', MEMORY_CACHE_MBB: '1' } });
  expect(await ended).toBe(78);
  expect(err()).toContain('PORT is "abc": expected a whole number');
  expect(err()).toContain('did you mean MEMORY_CACHE_MB?');
});

test('.env is read, and the environment wins over it', async () => {
  const folder = newFolder();
  writeFileSync(join(folder, '.env'), 'LOG_FORMAT=nonsense\nPORT=abc\n');
  const { ended, err } = run(['serve'], { folder, env: { PORT: '0' } });
  expect(await ended).toBe(78);
  expect(err()).toContain('LOG_FORMAT is "nonsense"');
  expect(err()).not.toContain('PORT is');
});

test('a taken port is said in one line, with 1', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const address = taken.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const { ended, out } = run(['serve'], { env: { PORT: String(port) } });
  expect(await ended).toBe(1);
  expect(out()).toContain(String(port));
  taken.close();
});

function threadsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/task`).length;
}

test("libuv's pool has a thread for each worker and four for files, unless the operator said otherwise", async () => {
  const count = async (env: Readonly<Record<string, string>>): Promise<number> => {
    const { url, pid, close } = await serveCli({ WORKER_THREADS: '2', ...env });
    await fetch(`${url}/readyz`);
    const threads = threadsOf(pid);
    await close();
    return threads;
  };
  const unset = await count({});
  expect(await count({ UV_THREADPOOL_SIZE: '6' })).toBe(unset);
  expect(await count({ UV_THREADPOOL_SIZE: '16' })).toBe(unset + 10);
});

test('after kill -9 and a new start an image is still served', async () => {
  const folder = newFolder();
  const first = await server({}, folder);
  const pixel = Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
    'base64',
  );
  const put = await fetch(`${first.url}/images/kept`, { method: 'PUT', body: pixel });
  expect(put.status).toBe(201);
  first.kill('SIGKILL');
  expect(await first.ended).toBe('SIGKILL');
  const second = await server({}, folder);
  const got = await fetch(`${second.url}/images/kept`);
  expect(got.status).toBe(200);
  expect(Buffer.from(await got.arrayBuffer()).equals(pixel)).toBe(true);
});
