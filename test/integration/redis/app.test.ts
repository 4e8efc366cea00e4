import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { eventually } from '../../fixtures/eventually.ts';
import { picture } from '../../fixtures/images.ts';
import { startRedis, type RedisServer } from '../../fixtures/redis-server.ts';
import { runApp, type RunningApp } from '../../fixtures/run-app.ts';

interface Heard {
  readonly name: string;
  readonly data: { readonly id: string; readonly version?: string; readonly thumbnail?: string };
}

let redis: RedisServer;
let one: RunningApp;
let two: RunningApp;
const stops: AbortController[] = [];

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(async () => redis.stop());
beforeEach(async () => {
  await redis.cli('FLUSHALL');
  const settings = {
    REDIS_ENABLED: 'true',
    REDIS_HOST: '127.0.0.1',
    REDIS_PORT: String(redis.port),
    REDIS_TIMEOUT_MS: '300',
  };
  [one, two] = await Promise.all([runApp(settings), runApp(settings)]);
  for (const app of [one, two]) {
    const hears = async (): Promise<boolean> =>
      (await app.metric('part_up', '{part="redis-invalidation"}')) === 1;
    await eventually(hears, 'it hears of changes');
  }
});
afterEach(async () => {
  for (const stop of stops.splice(0)) stop.abort();
  await Promise.all([one.close(), two.close()]);
});

const bytesOf = async (width: number) => new Uint8Array(await picture(width, 40).jpeg().toBuffer());
const served = async (app: RunningApp, id: string) => (await app.get(`/images/${id}`)).status;
const setJson = async (id: string, bytes: Uint8Array) =>
  redis.cli('SET', `image:${id}`, JSON.stringify({ base64_data: Buffer.from(bytes).toString('base64') }));

async function bodyOf(app: RunningApp, id: string): Promise<Uint8Array> {
  return new Uint8Array(await (await app.get(`/images/${id}`)).arrayBuffer());
}

/** Everything that a subscriber of this topic is told. */
async function listen(app: RunningApp, topic: string): Promise<readonly Heard[]> {
  const stop = new AbortController();
  stops.push(stop);
  const heard: Heard[] = [];
  const response = await fetch(`${app.base}/events?topic=${encodeURIComponent(topic)}`, {
    signal: stop.signal,
  });
  const read = async (): Promise<void> => {
    let text = '';
    for await (const chunk of response.body ?? []) {
      const blocks = (text + Buffer.from(chunk).toString()).split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const [, name] = /^event: (.*)$/m.exec(block) ?? [];
        const [, data] = /^data: (.*)$/m.exec(block) ?? [];
        if (name !== undefined && data !== undefined)
          heard.push({ name, data: JSON.parse(data) as Heard['data'] });
      }
    }
  };
  read().catch(() => undefined);
  return heard;
}

test('2.2 a foreign SET of base64 JSON is announced once on each server, with thumbnail, and served as bytes', async () => {
  const [here, there] = [await listen(one, 'image:hero_abc123'), await listen(two, '*')];
  const first = await bytesOf(60);
  await setJson('hero_abc123', first);
  await eventually(() => here.length === 1 && there.length === 1, 'both are told');
  expect(here[0]?.name).toBe('image.ready');
  expect(here[0]?.data.thumbnail).toMatch(/^data:image\/webp;base64,/);
  for (const app of [one, two]) expect(await bodyOf(app, 'hero_abc123')).toEqual(first);

  const second = await bytesOf(90);
  await setJson('hero_abc123', second);
  await eventually(async () => (await bodyOf(one, 'hero_abc123')).length === second.length, 'the new bytes');
  for (const app of [one, two]) expect(await bodyOf(app, 'hero_abc123')).toEqual(second);
  await eventually(() => here.length === 2 && there.length === 2, 'both are told again');
  await redis.cli('DEL', 'image:hero_abc123');
  await eventually(() => here.at(-1)?.name === 'image.deleted', 'the deletion is told');
  expect(await served(two, 'hero_abc123')).toBe(404);
  await pause(300);
  expect([here.length, there.length]).toEqual([3, 3]);
});

test('2.2 what is PUT on one server is announced and served on the other, once', async () => {
  const [here, there] = [await listen(one, '*'), await listen(two, '*')];
  const bytes = await bytesOf(50);
  await one.put('put/here', bytes);
  await eventually(() => here.length === 1 && there.length === 1, 'both are told');
  expect(await bodyOf(two, 'put/here')).toEqual(bytes);
  await pause(500);
  expect([here.length, there.length]).toEqual([1, 1]);
});

test('no server gives old bytes after the connections to Redis were killed', async () => {
  await setJson('a', await bytesOf(50));
  for (const app of [one, two]) await bodyOf(app, 'a');
  await redis.cli('CLIENT', 'KILL', 'TYPE', 'normal');
  await redis.cli('CLIENT', 'KILL', 'TYPE', 'pubsub');
  const fresh = await bytesOf(77);
  await setJson('a', fresh);
  for (const app of [one, two]) {
    await eventually(async () => (await served(app, 'a')) === 200, 'it answers');
    expect(await bodyOf(app, 'a')).toEqual(fresh);
  }
});

test('while Redis hangs the disk takes over, and what was taken in then reaches the other server afterwards', async () => {
  const bytes = await bytesOf(55);
  redis.freeze();
  try {
    expect((await one.put('meanwhile', bytes)).status).toBe(201);
    expect(await bodyOf(one, 'meanwhile')).toEqual(bytes);
  } finally {
    redis.thaw();
  }
  await eventually(async () => (await served(two, 'meanwhile')) === 200, 'the other server has it');
  expect(await bodyOf(two, 'meanwhile')).toEqual(bytes);
});

test('after a restart of an emptied Redis everything goes on without a restart of the servers', async () => {
  await one.put('gone', await bytesOf(50));
  await redis.kill();
  await redis.start();
  await eventually(async () => (await two.put('new', await bytesOf(60))).ok, 'it takes images in');
  await eventually(async () => (await served(one, 'new')) === 200, 'and gives them everywhere');
  const heard = await listen(two, '*');
  await eventually(async () => {
    await setJson('again', await bytesOf(40 + heard.length));
    return heard.some(({ data }) => data.id === 'again');
  }, 'changes are heard of again');
});
