/** Redis is sound, and what lies between is not: each connection alone, and the network. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../fixtures/eventually.ts';
import { startRedis, type RedisServer } from '../fixtures/redis-server.ts';
import { startTcpProxy, type TcpProxy } from '../fixtures/tcp-proxy.ts';
import { startFaultServer, type FaultServer } from './suite/fault-server.ts';
import { proveFault } from './suite/prove-fault.ts';
import { saysDown, saysInLog, saysUp, untilAllUp } from './suite/redis-health.ts';

let redis: RedisServer;
let proxy: TcpProxy;
let server: FaultServer;

beforeAll(async () => {
  redis = await startRedis();
  proxy = await startTcpProxy(redis.port);
  server = await startFaultServer({ REDIS_ENABLED: 'true', REDIS_URL: `redis://127.0.0.1:${proxy.port}` });
});
afterAll(async () => {
  await server.close();
  await proxy.close();
  await redis.stop();
});
beforeEach(async () => untilAllUp({ server }));

/** Waits until there is one. */
async function killClient(line: RegExp): Promise<void> {
  await eventually(async () => {
    const found = (await redis.cli('CLIENT', 'LIST')).split('\n').find((client) => line.test(client));
    const id = /^id=(\d+)/.exec(found ?? '')?.[1];
    return id !== undefined && (await redis.cli('CLIENT', 'KILL', 'ID', id)) === '1';
  }, `a connection like ${line} is killed`);
}

describe('of the connections to Redis', () => {
  it('the one that hears of changes is killed', async () => {
    await proveFault(server, {
      name: 'Redis: invalidations cut',
      how: 'CLIENT KILL ID of that connection',
      inject: async () => killClient(/ sub=1 /),
      healed: untilAllUp,
      after: saysInLog(server, /the invalidation connection closed/),
    });
  });

  it('the one that reads events is killed', async () => {
    await proveFault(server, {
      name: 'Redis: events cut',
      how: 'CLIENT KILL ID of that connection',
      inject: async () => killClient(/ cmd=xread /),
      healed: untilAllUp,
      after: saysInLog(server, /events of other instances do not arrive/),
    });
  });

  it('the one for data is killed', async () => {
    await proveFault(server, {
      name: 'Redis: data cut',
      how: 'CLIENT KILL ID of that connection',
      // Some lie in Redis alone, for as long as it takes to connect.
      refusals: [503],
      inject: async () => killClient(/ flags=t\w* | flags=\w*t /),
      healed: untilAllUp,
      after: saysInLog(server, /the data connection closed/),
    });
  });

  it('the one that hears of changes is cut by Redis for what waits in it', async () => {
    const script = `for n = 1, 5000 do redis.call('SET', 'afterimage:cache:' .. n, 'x', 'PX', 60000) end`;
    await proveFault(server, {
      name: 'Redis: output buffer cut',
      how: 'client-output-buffer-limit pubsub 1 KB, 5000 changes at once',
      async inject() {
        await redis.cli('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 1kb 1kb 1');
        const before = await redis.cli('CLIENT', 'LIST', 'TYPE', 'pubsub');
        await redis.cli('EVAL', script, '0');
        await eventually(async () => (await redis.cli('CLIENT', 'LIST', 'TYPE', 'pubsub')) !== before, 'cut');
      },
      heal: async () =>
        void (await redis.cli('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 32mb 8mb 60')),
      healed: untilAllUp,
      after: saysInLog(server, /the invalidation connection closed/),
    });
  });
});

describe('the network to Redis', () => {
  it('is slow', async () => {
    await proveFault(server, {
      name: 'Redis: slow',
      how: 'every reply 200 ms later, for 1.5 s',
      async inject() {
        proxy.delay(200);
        await sleep(1500);
      },
      // Slow is not away.
      told: saysUp,
      heal: async () => proxy.delay(0),
      healed: untilAllUp,
    });
  });

  it('breaks connections in the middle of a reply', async () => {
    await proveFault(server, {
      name: 'Redis: replies cut',
      how: 'each connection ends after 20 KB of replies',
      refusals: [503],
      async inject() {
        proxy.cutAfter(20_000);
        await eventually(() => proxy.cuts() >= 3, 'several are cut');
      },
      heal: async () => proxy.cutAfter(0),
      healed: untilAllUp,
      after: async () => expect(proxy.cuts()).toBeGreaterThan(2),
    });
  });

  it('forgets connections without a word', async () => {
    await proveFault(server, {
      name: 'Redis: half-open',
      how: 'what is connected passes nothing any more; new connections do',
      refusals: [503],
      async inject() {
        const said = saysInLog(server, /the data connection does not answer/);
        proxy.swallow();
        await said();
      },
      healed: untilAllUp,
    });
  });

  it('forgets connections without a word, and lets nobody in', async () => {
    await proveFault(server, {
      name: 'Redis: out of reach',
      how: 'nothing passes, on old and new connections',
      // For the moment in which it answers again, and nothing was asked of it yet.
      refusals: [503],
      async inject() {
        const lost = ['data', 'stream', 'subscriber'].map((name) =>
          saysInLog(server, new RegExp(`"connection":"${name}".*is lost`)),
        );
        proxy.swallowAll(true);
        await Promise.all(lost.map(async (said) => said()));
        // Each has found somebody who takes the connection, and says nothing.
        await sleep(300);
      },
      told: saysDown('redis-backend', 'redis-invalidation', 'events-bus'),
      heal: async () => proxy.swallowAll(false),
      healed: untilAllUp,
    });
  });
});
