/** Redis goes, and there is no disk to fall back on: what is taken in must be kept, or refused. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { onePixelPng } from '../fixtures/images.ts';
import { startRedis, type RedisServer } from '../fixtures/redis-server.ts';
import { startFaultServer, type FaultServer } from './suite/fault-server.ts';
import { proveFault } from './suite/prove-fault.ts';
import { saysDown, untilAllUp } from './suite/redis-health.ts';

let redis: RedisServer;
let server: FaultServer;

beforeAll(async () => {
  redis = await startRedis('--appendonly', 'yes', '--appendfsync', 'always');
  server = await startFaultServer({ REDIS_ENABLED: 'true', REDIS_URL: redis.url, CACHE_DIR: '' });
});
afterAll(async () => {
  await server.close();
  await redis.stop();
});

describe('Redis alone', () => {
  it('is killed: nothing is taken in until it is back, and what is known is served', async () => {
    await untilAllUp({ server });
    await proveFault(server, {
      name: 'Redis: killed, no disk',
      how: 'SIGKILL with CACHE_DIR=""; started again on its append-only file',
      refusals: [503],
      inject: redis.kill,
      async told(stage) {
        await saysDown('redis-breaker', 'redis-invalidation', 'events-bus')(stage);
        const body = new Uint8Array(await onePixelPng());
        expect((await server.ask('/images/refused', { method: 'PUT', body })).status).toBe(503);
        expect((await server.ask('/images/hot-1')).status).toBe(200);
      },
      heal: redis.start,
      healed: untilAllUp,
      after: async () => expect((await server.ask('/images/refused')).status).toBe(404),
    });
  });
});
