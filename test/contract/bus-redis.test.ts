import { afterAll, beforeAll } from 'vitest';
import { startBus } from '../fixtures/redis-bus.ts';
import { startRedis, type RedisServer } from '../fixtures/redis-server.ts';
import { BUS_LIMITS, describeBus } from './bus.contract.ts';

let server: RedisServer;

beforeAll(async () => {
  server = await startRedis();
});
afterAll(async () => server.stop());

describeBus('redis', async () => {
  await server.cli('FLUSHALL');
  const { bus, close } = await startBus(server, BUS_LIMITS);
  return { bus, dispose: close };
});
