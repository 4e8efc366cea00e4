/** `afterimage put` and `afterimage health` against a real server. */
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newFolder, runCli, serveCli } from '../fixtures/run-cli.ts';

const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

let server: Awaited<ReturnType<typeof serveCli>>;
let folder: string;

beforeAll(async () => {
  server = await serveCli({ WRITE_TOKEN: 'let-me-in' });
  folder = newFolder();
  mkdirSync(join(folder, 'more'));
  for (const name of ['a.png', 'b.png', 'more/c.png']) writeFileSync(join(folder, name), PIXEL);
  writeFileSync(join(folder, 'cut.png'), PIXEL.subarray(0, 50));
  writeFileSync(join(folder, 'text.png'), 'not an image');
  copyFileSync(join(folder, 'a.png'), join(folder, 'more/a.png'));
});
afterAll(() => server.close());

async function cli(words: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const run = runCli(words, {
    folder,
    env: { AFTERIMAGE_URL: server.url, AFTERIMAGE_TOKEN: 'let-me-in', ...env },
  });
  return { code: await run.ended, out: run.out(), err: run.err() };
}

test('files are stored under their names, a line each, with a summary', async () => {
  const { code, out, err } = await cli(['put', 'a.png', 'b.png', 'more/c.png', '--topic', 'job:1']);
  expect(code, err).toBe(0);
  expect(out.trim().split('\n')).toHaveLength(3);
  expect(out).toContain('[3/3] ');
  expect(err).toContain('3 of 3 stored');
  for (const id of ['a.png', 'b.png', 'c.png']) {
    expect((await fetch(`${server.url}/images/${id}`)).status, id).toBe(200);
  }
});

test('one that is refused fails the whole, is named with its code, and stops none of the others', async () => {
  const { code, out, err } = await cli([
    'put',
    'cut.png',
    'text.png',
    'absent.png',
    'a.png',
    '--prefix',
    'p/',
  ]);
  expect(code).toBe(1);
  expect(err).toContain('cut.png: image_truncated');
  expect(err).toContain('text.png: not_an_image');
  expect(err).toContain('absent.png: ENOENT');
  expect(out).toContain('a.png: stored');
  expect(err).toContain('1 of 4 stored');
  expect((await fetch(`${server.url}/images/p/a.png`)).status).toBe(200);
});

test('an id may be given for one file, and --json prints what the server answered', async () => {
  const { code, out } = await cli([
    'put',
    'a.png',
    '--id',
    'gallery/with space.png',
    '--ttl',
    '60',
    '--json',
  ]);
  expect(code).toBe(0);
  const receipt: unknown = JSON.parse(out);
  expect(receipt).toMatchObject({ id: 'gallery/with space.png', mime: 'image/png', width: 1, height: 1 });
  const info = await fetch(`${server.url}/info/gallery/with%20space.png`);
  expect(await info.json()).toMatchObject({ id: 'gallery/with space.png', expires_at: expect.anything() });
});

test('without the token nothing is stored, and the line says why', async () => {
  const { code, err } = await cli(['put', 'a.png'], { AFTERIMAGE_TOKEN: '' });
  expect(code).toBe(1);
  expect(err).toContain('token_missing');
});

test.each([
  [['put'], 'at least one file'],
  [['put', 'a.png', 'b.png', '--id', 'x'], '--id is for one file'],
  [['put', 'a.png', 'more/a.png'], 'would both become the image "a.png"'],
  [['put', 'a.png', '--id', '../up'], 'cannot be the id'],
  [['put', 'a.png', '--concurrency', '0'], '--concurrency is "0"'],
  [['put', 'a.png', '--tropic', 'x'], "Unknown option '--tropic'"],
  [['put', 'a.png', '--url', 'nowhere'], 'not a server'],
  [['putt', 'a.png'], 'did you mean put?'],
  [['watch', '--inline', 'all'], 'expected thumbnail, full or none'],
  [['watch', '--since', 'yesterday'], "expected an event's id"],
])('%j is a mistake of the typist: exit code 2 and one line', async (words, line) => {
  const { code, out, err } = await cli(words);
  expect(code).toBe(2);
  expect(out).toBe('');
  expect(err).toContain(line);
  expect(err.trim().split('\n')).toHaveLength(1);
});

test.each([
  [['--help']],
  [['put', '--help']],
  [['watch', '-h']],
  [['health', '--help']],
  [['serve', '--help']],
])('%j prints help and does nothing else', async (words) => {
  const { code, out, err } = await cli(words);
  expect(code).toBe(0);
  expect(out).toContain('afterimage');
  expect(err).toBe('');
});

test('--version is that of the package', async () => {
  expect((await cli(['--version'])).out).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test('a busy server is asked again', async () => {
  let asked = 0;
  const busy = createServer((_request, response) => {
    asked += 1;
    if (asked === 1) response.writeHead(503, { 'Retry-After': '1' }).end();
    else {
      const receipt = { id: 'a', version: 'v', bytes: 1, mime: 'image/png', width: 1, height: 1, url: '/a' };
      response.writeHead(201, { 'Content-Type': 'application/json' }).end(JSON.stringify(receipt));
    }
  }).listen(0, '127.0.0.1');
  await once(busy, 'listening');
  const address = busy.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const { code } = await cli(['put', 'a.png', '--url', `http://127.0.0.1:${port}`]);
  busy.close();
  expect(code).toBe(0);
  expect(asked).toBe(2);
});

test('health is 0 with a server that is ready, and finds it by PORT alone', async () => {
  const { code, out } = await cli(['health'], { AFTERIMAGE_URL: '', PORT: new URL(server.url).port });
  expect(code).toBe(0);
  expect(out).toBe('ready\n');
});

test('health is 1 where nothing listens, and where nothing answers in time', async () => {
  expect((await cli(['health', '--url', 'http://127.0.0.1:9'])).code).toBe(1);
  const mute = createServer(() => {}).listen(0, '127.0.0.1');
  await once(mute, 'listening');
  const address = mute.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const { code, err } = await cli(['health', '--timeout', '1', '--url', `http://127.0.0.1:${port}`]);
  mute.closeAllConnections();
  mute.close();
  expect(code).toBe(1);
  expect(err).toContain('no answer in time');
});
