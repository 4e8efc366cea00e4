import { afterAll, beforeAll, describe, it } from 'vitest';
import { setTimeout as sleep } from 'node:timers/promises';
import { startRedis, type RedisServer } from '../fixtures/redis-server.ts';
import { startFaultServer, type FaultServer } from './suite/fault-server.ts';
import { proveFault } from './suite/prove-fault.ts';

let redis: RedisServer;
let server: FaultServer;

beforeAll(async () => {
  redis = await startRedis();
  server = await startFaultServer({ REDIS_ENABLED: 'true', REDIS_URL: redis.url });
});
afterAll(async () => {
  await server.close();
  await redis.stop();
});

describe('Redis', () => {
  it('hangs: images are taken and served all the same', async () => {
    await proveFault(server, {
      name: 'Redis: hung',
      how: 'SIGSTOP for 1.5 s',
      async inject() {
        redis.freeze();
        await sleep(1500);
      },
      heal: async () => redis.thaw(),
    });
  });
});
