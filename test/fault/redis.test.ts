/** Redis goes as a whole, and comes back. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { setTimeout as sleep } from 'node:timers/promises';
import { startRedis, type RedisServer } from '../fixtures/redis-server.ts';
import type { Stage } from './suite/fault.ts';
import { startFaultServer, type FaultServer } from './suite/fault-server.ts';
import { proveFault } from './suite/prove-fault.ts';
import { saysDown, untilAllUp } from './suite/redis-health.ts';

let redis: RedisServer;
let server: FaultServer;

const gone = saysDown('redis-backend', 'redis-invalidation', 'events-bus');

beforeAll(async () => {
  // Every write is on disk before it is answered: what is killed comes back as it was.
  redis = await startRedis('--appendonly', 'yes', '--appendfsync', 'always');
  await redis.kill();
  server = await startFaultServer({ REDIS_ENABLED: 'true', REDIS_URL: redis.url });
});
afterAll(async () => {
  await server.close();
  await redis.stop();
});

describe('Redis', () => {
  it('is not there at the start: the disk serves until it comes', async () => {
    await proveFault(server, {
      name: 'Redis: down at start',
      how: 'started before it',
      inject: async () => undefined,
      told: gone,
      heal: redis.start,
      healed: untilAllUp,
    });
  });
});

describe('Redis, once it was there', () => {
  beforeEach(async () => untilAllUp({ server }));

  it('is killed and comes back with its data', async () => {
    await proveFault(server, {
      name: 'Redis: killed, data kept',
      how: 'SIGKILL; started again on its append-only file',
      // Until it is known that it is not only the connection that is gone.
      refusals: [503],
      inject: redis.kill,
      told: gone,
      heal: redis.start,
      healed: untilAllUp,
    });
  });

  it('is killed and comes back empty: what was accepted since it went is still there', async () => {
    await proveFault(server, {
      name: 'Redis: emptied, then killed',
      how: 'FLUSHALL, SIGKILL; started again',
      // What Redis may have had is neither there nor known to be gone.
      refusals: [503],
      async inject({ load }) {
        load.mayVanish(true);
        await redis.cli('FLUSHALL');
        await redis.kill();
        load.mayVanish(false);
      },
      told: gone,
      heal: redis.start,
      healed: untilAllUp,
    });
  });

  it('hangs: images are taken and served all the same', async () => {
    await proveFault(server, {
      name: 'Redis: hung',
      how: 'SIGSTOP for as long as it takes to be seen',
      // For the moment in which it answers again, and nothing was asked of it yet.
      refusals: [503],
      inject: async () => redis.freeze(),
      told: gone,
      heal: async () => redis.thaw(),
      healed: untilAllUp,
    });
  });

  it('flaps: five times gone and back', async () => {
    await proveFault(server, {
      name: 'Redis: flapping',
      how: 'SIGKILL and start, five times in a row',
      // What only Redis has is out of reach for a while.
      refusals: [503],
      async inject({ load }: Stage) {
        for (let time = 0; time < 5; time += 1) {
          await redis.kill();
          await load.more(20);
          await redis.start();
          await load.more(20);
        }
      },
      healed: untilAllUp,
    });
  });

  it('is paused for its clients: they wait, and nobody is told a lie', async () => {
    await proveFault(server, {
      name: 'Redis: paused',
      how: 'CLIENT PAUSE 600 ALL',
      async inject() {
        await redis.cli('CLIENT', 'PAUSE', '600', 'ALL');
        await sleep(600);
      },
      healed: untilAllUp,
      async after() {
        expect(await server.ready()).toBe(true);
      },
    });
  });
});
