/** `afterimage watch` against a scripted stream: what it prints, how it resumes, when it gives up. */
import { createServer, type RequestListener, type Server } from 'node:http';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { runCli, serveCli, type CliRun } from '../fixtures/run-cli.ts';

const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

const open: { server?: Server; run?: CliRun } = {};
afterEach(async () => {
  await open.run?.close();
  open.server?.closeAllConnections();
  open.server?.close();
});

async function watching(words: readonly string[], answer: RequestListener): Promise<CliRun> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  open.server = server;
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const run = runCli(['watch', ...words], { env: { AFTERIMAGE_URL: `http://127.0.0.1:${port}` } });
  open.run = run;
  return run;
}

function event(cursor: string, id: string): string {
  const thumbnail = `data:image/webp;base64,${Buffer.alloc(30).toString('base64')}`;
  return `id: ${cursor}\nevent: image.ready\ndata: ${JSON.stringify({ id, bytes: 10, topics: [], thumbnail })}\n\n`;
}

test('it follows the topics asked for, and prints each event with its thumbnail size', async () => {
  const asked: string[] = [];
  const run = await watching(
    ['--topic', 'job:*', '--topic', 'x', '--inline', 'full', '--inline-max', '1000', '--count', '1'],
    (request, response) => {
      asked.push(request.url ?? '');
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      response.write(`retry: 100\n\n: hello\n\n${event('5-0', 'a')}`);
    },
  );
  expect(await run.ended).toBe(0);
  expect(asked).toEqual(['/events?topic=job%3A*&topic=x&inline=full&inline_max=1000']);
  expect(run.out()).toMatch(/^\d\d:\d\d:\d\d image\.ready a 10 B thumbnail 30 B\n$/);
});

test('after a lost connection it goes on behind the last event it saw', async () => {
  const asked: string[] = [];
  const run = await watching(['--since', '4-0', '--count', '2', '--json'], (request, response) => {
    asked.push(request.url ?? '');
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    if (asked.length === 1) response.end(`retry: 100\n\n${event('5-0', 'a')}`);
    else response.write(event('6-0', 'b'));
  });
  expect(await run.ended).toBe(0);
  expect(asked.map((url) => new URL(url, 'http://a').searchParams.get('last_event_id'))).toEqual([
    '4-0',
    '5-0',
  ]);
  const lines = run
    .out()
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
  expect(lines).toMatchObject([
    { event: 'image.ready', cursor: '5-0', data: { id: 'a' } },
    { event: 'image.ready', cursor: '6-0', data: { id: 'b' } },
  ]);
  expect(run.err()).toContain('trying again');
});

test('where it is refused for good it says the reason and ends with 1', async () => {
  const run = await watching([], (_request, response) => {
    response.writeHead(403, { 'Content-Type': 'application/problem+json' });
    response.end(JSON.stringify({ code: 'topic_forbidden', detail: 'The token does not name this topic.' }));
  });
  expect(await run.ended).toBe(1);
  expect(run.err()).toContain('refused: topic_forbidden: The token does not name this topic.');
});

test('no more events are printed than --count asks for, and a gap is none', async () => {
  const gap = `event: gap\ndata: {"reason":"restarted"}\n\n`;
  const run = await watching(['--count', '1'], (_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    response.write(`${gap}${event('5-0', 'a')}${event('6-0', 'b')}`);
  });
  expect(await run.ended).toBe(0);
  expect(run.out()).toContain('gap restarted');
  expect(run.out()).toContain('image.ready a');
  expect(run.out()).not.toContain('image.ready b');
});

test('what one terminal puts, another that watches prints', async () => {
  const server = await serveCli();
  try {
    const env = { AFTERIMAGE_URL: server.url };
    const watch = runCli(['watch', '--topic', 'job:*', '--count', '1'], { env });
    open.run = watch;
    await watch.says(/following/);
    writeFileSync(join(watch.folder, 'pixel.png'), PIXEL);
    const put = runCli(['put', 'pixel.png', '--topic', 'job:42'], { env, folder: watch.folder });
    expect(await put.ended, put.err()).toBe(0);
    expect(await watch.ended).toBe(0);
    expect(watch.out()).toMatch(
      /image\.ready pixel\.png \d+ B image\/png 1x1 thumbnail \d+ B \/images\/pixel\.png/,
    );
  } finally {
    await server.close();
  }
});

test('Ctrl-C ends it with 0, also while it waits to try again', async () => {
  const run = await watching(
    [],
    (_request, response) => void response.writeHead(503, { 'Retry-After': '30' }).end(),
  );
  await run.says(/trying again in 3\d\.\d s/);
  run.kill('SIGINT');
  expect(await run.ended).toBe(0);
});

test('its token goes along as a header', async () => {
  let authorization: string | undefined;
  const run = await watching(['--count', '1', '--token', 'secret'], (request, response) => {
    authorization = request.headers.authorization;
    response.writeHead(200, { 'Content-Type': 'text/event-stream' }).write(event('5-0', 'a'));
  });
  await run.ended;
  expect(authorization).toBe('Bearer secret');
});
