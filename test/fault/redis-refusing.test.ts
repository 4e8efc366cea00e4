/** Redis is there, and does not do, or does other than it should. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../fixtures/eventually.ts';
import { onePixelPng } from '../fixtures/images.ts';
import { startRedis, type RedisServer } from '../fixtures/redis-server.ts';
import type { Stage } from './suite/fault.ts';
import { startFaultServer, type FaultServer } from './suite/fault-server.ts';
import { proveFault } from './suite/prove-fault.ts';
import { saysDown, saysUp, untilAllUp } from './suite/redis-health.ts';

let redis: RedisServer;
let server: FaultServer;

const gone = saysDown('redis-backend', 'redis-invalidation', 'events-bus');

beforeAll(async () => {
  redis = await startRedis();
  server = await startFaultServer({ REDIS_ENABLED: 'true', REDIS_URL: redis.url });
});
afterAll(async () => {
  await server.close();
  await redis.stop();
});
beforeEach(async () => untilAllUp({ server }));

async function usedBytes(): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await redis.cli('INFO', 'memory'))?.[1]);
}

describe('Redis', () => {
  it('comes back empty: what was accepted since it went is there', async () => {
    await proveFault(server, {
      name: 'Redis: killed, data lost',
      how: 'SIGKILL without persistence; started again',
      refusals: [503],
      async inject({ load }) {
        load.mayVanish(true);
        await redis.kill();
        load.mayVanish(false);
      },
      told: gone,
      heal: redis.start,
      healed: untilAllUp,
    });
  });

  it('is full: the disk keeps what it has no room for, until it has', async () => {
    await proveFault(server, {
      name: 'Redis: full',
      how: 'CONFIG SET maxmemory 1, noeviction',
      inject: async () => void (await redis.cli('CONFIG', 'SET', 'maxmemory', '1')),
      told: saysDown('redis-backend', 'events-bus'),
      heal: async () => void (await redis.cli('CONFIG', 'SET', 'maxmemory', '0')),
      healed: untilAllUp,
      async after() {
        // Not only in memory and on disk, but where other instances look.
        await eventually(
          async () => (await redis.cli('HEXISTS', 'image:hot-1', 'bytes')) === '1',
          'in Redis',
        );
      },
    });
  });

  it('takes no writes: what it has is served, and what comes in is kept', async () => {
    await proveFault(server, {
      name: 'Redis: read-only',
      how: 'REPLICAOF a master that is dead',
      inject: async () => void (await redis.cli('REPLICAOF', '127.0.0.1', '1')),
      told: saysDown('events-bus'),
      heal: async () => void (await redis.cli('REPLICAOF', 'NO', 'ONE')),
      healed: untilAllUp,
    });
  });

  it('has values of another type under names of ours', async () => {
    const put = async (id: string): Promise<number> =>
      (await server.ask(`/images/${id}`, { method: 'PUT', body: new Uint8Array(await onePixelPng()) }))
        .status;
    await proveFault(server, {
      name: 'Redis: WRONGTYPE',
      how: 'a list under an image, strings under renderings and events',
      async inject() {
        await redis.cli('RPUSH', 'image:a-list', 'x', 'y');
        await redis.cli('SET', 'afterimage-children:image:hot-1', 'x');
        await redis.cli('SET', 'afterimage-events', 'x');
      },
      async told(stage: Stage) {
        await saysDown('events-bus')(stage);
        expect(await server.down()).toEqual(['events-bus']);
        expect((await server.ask('/images/a-list')).status).toBe(404);
        expect(await put('a-list')).toBe(201);
        expect((await server.ask('/images/a-list')).status).toBe(200);
      },
      heal: async () => void (await redis.cli('DEL', 'afterimage-events', 'afterimage-children:image:hot-1')),
      healed: untilAllUp,
    });
  });

  it('asks for a password from now on', async () => {
    await proveFault(server, {
      name: 'Redis: password changed',
      how: 'CONFIG SET requirepass, CLIENT KILL of all',
      // It answers, if only that it does not answer: what is there may have changed.
      refusals: [503],
      async inject() {
        await redis.cli('CONFIG', 'SET', 'requirepass', 'other');
        for (const type of ['normal', 'pubsub'])
          await redis.cli('-a', 'other', '--no-auth-warning', 'CLIENT', 'KILL', 'TYPE', type);
      },
      told: gone,
      heal: async () =>
        void (await redis.cli('-a', 'other', '--no-auth-warning', 'CONFIG', 'SET', 'requirepass', '')),
      healed: untilAllUp,
    });
  });

  it('evicts: what it forgot is not there, and nothing else is said', async () => {
    await proveFault(server, {
      name: 'Redis: evicting',
      how: 'maxmemory at what it uses, allkeys-lru',
      async inject({ load }) {
        load.mayVanish(true);
        await redis.cli('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
        await redis.cli('CONFIG', 'SET', 'maxmemory', String(await usedBytes()));
        await eventually(async () => {
          return !(await redis.cli('INFO', 'stats')).includes('evicted_keys:0\r');
        }, 'it evicts');
      },
      async heal({ load }) {
        await redis.cli('CONFIG', 'SET', 'maxmemory', '0');
        await redis.cli('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
        load.mayVanish(false);
      },
      healed: untilAllUp,
    });
  });

  it('is emptied by somebody: what is gone is gone, what comes after is there', async () => {
    await proveFault(server, {
      name: 'Redis: flushed',
      how: 'FLUSHALL',
      async inject({ load }) {
        load.mayVanish(true);
        await redis.cli('FLUSHALL');
        load.mayVanish(false);
      },
      told: saysUp,
      healed: untilAllUp,
    });
  });
});
