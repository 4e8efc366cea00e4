import { afterAll, beforeAll } from 'vitest';
import { createRedisClients, type RedisClients } from '../../src/app/redis-clients.ts';
import { systemClock } from '../../src/core/clock.ts';
import { createRedisKeys } from '../../src/redis/redis-keys.ts';
import { createRedisTier } from '../../src/redis/redis-tier.ts';
import { connectionTo, startRedis, type RedisServer } from '../fixtures/redis-server.ts';
import { describeTier, type TierUnderTest } from './tier.contract.ts';

let server: RedisServer;
let clients: RedisClients;

beforeAll(async () => {
  server = await startRedis();
  clients = createRedisClients(connectionTo(server), () => undefined);
  await clients.ready(5000);
});
afterAll(async () => {
  clients.close();
  await server.stop();
});

function redisTier(format: 'hash' | 'json'): () => Promise<TierUnderTest> {
  return async () => {
    await server.cli('FLUSHALL');
    const tier = createRedisTier(
      {
        keys: createRedisKeys('image:'),
        format,
        defaultTtlMs: 0,
        maxValueBytes: 1024 * 1024,
        announces: false,
      },
      {
        client: clients.data,
        clock: systemClock,
        decode: async () => {
          throw new Error('nothing foreign here');
        },
        onUnreadable: () => undefined,
      },
    );
    return {
      tier,
      nowMs: systemClock.nowMs,
      // Redis keeps its own time.
      pass: async (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      refresh: tier.refreshStats,
      dispose: tier.close,
    };
  };
}

describeTier('redis, as hashes,', redisTier('hash'));
describeTier('redis, as JSON,', redisTier('json'));
