import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../../fixtures/eventually.ts';
import { onePixelPng } from '../../fixtures/images.ts';
import { startRedis, type RedisServer } from '../../fixtures/redis-server.ts';
import { runApp, type RunningApp } from '../../fixtures/run-app.ts';

interface Health {
  readonly parts: readonly { readonly part: string; readonly state: string }[];
  readonly changes: readonly { readonly part: string; readonly state: string; readonly reason: string }[];
}

let redis: RedisServer;
let app: RunningApp;

beforeAll(async () => {
  redis = await startRedis();
  app = await runApp({ REDIS_ENABLED: 'true', REDIS_URL: redis.url, REDIS_TIMEOUT_MS: '300' });
});
afterAll(async () => {
  await app.close();
  await redis.stop();
});

async function health(): Promise<Health> {
  const stats = (await (await app.get('/admin/stats')).json()) as { readonly health: Health };
  return stats.health;
}

async function untilStates(expected: Readonly<Record<string, string>>, what: string): Promise<void> {
  await eventually(async () => {
    // Somebody asks and somebody publishes: breaker and bus learn of an outage from nothing else.
    await app.get('/images/none');
    await app.put('published', await onePixelPng());
    const now = new Map((await health()).parts.map(({ part, state }) => [part, state]));
    return Object.entries(expected).every(([part, state]) => now.get(part) === state);
  }, what);
}

const WITH_REDIS = {
  'redis-breaker': 'closed',
  'redis-backend': 'primary',
  'redis-invalidation': 'armed',
  'events-bus': 'shared',
};

test('each part that Redis carries is seen to go and to come back, with the reason of its going', async () => {
  await untilStates(WITH_REDIS, 'all is well');
  expect(await app.metric('part_up', '{part="redis-backend"}')).toBe(1);
  await redis.kill();
  await untilStates(
    { 'redis-backend': 'fallback', 'redis-invalidation': 'lost', 'events-bus': 'local' },
    'every part does without',
  );
  expect(await app.metric('part_up', '{part="redis-backend"}')).toBe(0);
  await redis.start();
  await untilStates(WITH_REDIS, 'all is well again');
  const { changes } = await health();
  const backend = changes.filter(({ part }) => part === 'redis-backend');
  expect(backend.map(({ state }) => state)).toEqual(['primary', 'fallback', 'primary']);
  expect(backend[1]?.reason).toMatch(/\S/);
});

test('where an image lies is asked of Redis itself', async () => {
  await untilStates(WITH_REDIS, 'all is well');
  expect((await app.put('in-redis', await onePixelPng())).ok).toBe(true);
  const places = await (await app.get('/admin/image?id=in-redis')).json();
  expect(places).toMatchObject({
    tiers: [
      { tier: 'memory', present: true },
      { tier: 'redis', present: true, unsure: false },
    ],
  });
});
