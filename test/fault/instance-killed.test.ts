import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../fixtures/eventually.ts';
import { png } from '../fixtures/images.ts';
import { openRawStream } from '../fixtures/raw-stream.ts';
import { startRedis, type RedisServer } from '../fixtures/redis-server.ts';
import { runApp, type RunningApp } from '../fixtures/run-app.ts';
import { runCli, type CliRun } from '../fixtures/run-cli.ts';

let redis: RedisServer;
let survivor: RunningApp;
let victim: CliRun;
let victimPort: number;

beforeAll(async () => {
  redis = await startRedis();
  const settings = { REDIS_ENABLED: 'true', REDIS_HOST: '127.0.0.1', REDIS_PORT: String(redis.port) };
  survivor = await runApp(settings);
  victim = runCli(['serve'], { env: { ...settings, PORT: '0', LOG_FORMAT: 'json' } });
  const [, port] = await victim.says(/listening on http:\/\/127\.0\.0\.1:(\d+)/);
  victimPort = Number(port);
});
afterAll(async () => {
  await Promise.all([survivor.close(), victim.close()]);
  await redis.stop();
});

test('a reader whose server is killed between partial and final gets the final from another, by cursor', async () => {
  const body = await png();
  const first = await openRawStream(victimPort, '/events?topic=job:1');
  await eventually(() => first.lastId() !== '', 'the stream has a cursor');
  const partial = await fetch(`http://127.0.0.1:${victimPort}/images/a?partial=0&topic=job:1`, {
    method: 'PUT',
    body,
  });
  expect(partial.status).toBe(201);
  await eventually(() => first.events().length === 1, 'the partial is told');
  expect(first.events()[0]?.event).toBe('image.partial');
  const cursor = first.lastId();

  victim.kill('SIGKILL');
  await victim.ended;
  await eventually(() => first.isClosed(), 'the stream is gone');
  expect((await survivor.put('a', body, { query: '?topic=job:1' })).status).toBe(201);

  const second = await openRawStream(survivor.port, '/events?topic=job:1', `Last-Event-ID: ${cursor}\r\n`);
  await eventually(() => second.events().length > 0, 'the final is told');
  expect(second.events().map(({ event }) => event)).toEqual(['image.ready']);
  expect((await survivor.get('/images/a')).status).toBe(200);
  second.destroy();
});
