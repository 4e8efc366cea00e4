/** Changes that nobody announces: those of other databases, and those made while this server was deaf. */
import { connect } from 'node:net';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { eventually } from '../../fixtures/eventually.ts';
import { onePixelPng } from '../../fixtures/images.ts';
import { openRawStream, type RawStream } from '../../fixtures/raw-stream.ts';
import { startRedis, type RedisServer } from '../../fixtures/redis-server.ts';
import { runApp, type RunningApp } from '../../fixtures/run-app.ts';

let redis: RedisServer;
let app: RunningApp;
let stream: RawStream;
let base64: string;

beforeAll(async () => {
  redis = await startRedis();
  base64 = Buffer.from(await onePixelPng()).toString('base64');
  app = await runApp({ REDIS_ENABLED: 'true', REDIS_URL: redis.url });
  await eventually(
    async () => (await app.metric('part_up', '{part="redis-invalidation"}')) === 1,
    'it hears',
  );
});
afterAll(async () => {
  await app.close();
  await redis.stop();
});
beforeEach(async () => {
  stream = await openRawStream(app.port, '/events?topic=*');
});
afterEach(() => stream.destroy());

const told = (): readonly string[] => stream.events().map(({ event, data }) => `${event} ${data}`);
const isTold = (event: string, part: string): boolean =>
  told().some((line) => line.startsWith(`${event} `) && line.includes(part));

test('what is set while changes are not heard of is owned up to with a gap', async () => {
  const socket = connect(redis.port, '127.0.0.1');
  await once(socket, 'connect');
  // In one piece: nobody can connect again in between.
  socket.write(`CLIENT KILL TYPE pubsub\r\nSET image:unheard ${base64}\r\n`);
  await eventually(() => isTold('gap', 'disconnected') || isTold('image.ready', 'unheard'), 'it is told');
  socket.destroy();
  await eventually(async () => (await app.get('/images/unheard')).status === 200, 'it is served');
  await redis.cli('SET', 'image:heard', base64);
  await eventually(() => isTold('image.ready', '"heard"'), 'changes are heard of again');
});

test('what happens in another database of the same Redis is not told', async () => {
  await redis.cli('SET', 'image:here', base64);
  await eventually(() => isTold('image.ready', '"here"'), 'it is told');
  await redis.cli('-n', '1', 'SET', 'image:elsewhere', base64);
  await redis.cli('-n', '1', 'SET', 'image:here', base64);
  await redis.cli('-n', '1', 'DEL', 'image:elsewhere', 'image:here');
  await redis.cli('SET', 'image:last', base64);
  await eventually(() => isTold('image.ready', '"last"'), 'what comes after it is told');
  // The announcer looks at several at a time.
  await sleep(200);
  expect(told().filter((line) => line.includes('"elsewhere"'))).toEqual([]);
  expect(told().filter((line) => line.startsWith('image.deleted'))).toEqual([]);
  expect((await app.get('/images/here')).status).toBe(200);
  await redis.cli('DEL', 'image:here');
  await eventually(() => isTold('image.deleted', '"here"'), 'a deletion here is told');
});
