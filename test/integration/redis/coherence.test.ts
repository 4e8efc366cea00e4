/** Memory of every instance follows what anybody does in Redis, and trusts nothing while it can't. */
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { isWhole } from '../../../src/core/entry.ts';
import { bodyOf, entryOf } from '../../fixtures/entries.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { png, webp } from '../../fixtures/images.ts';
import { startInstance, type RedisInstance } from '../../fixtures/redis-instance.ts';
import { startRedis, type RedisServer } from '../../fixtures/redis-server.ts';
import { nobody } from '../../fixtures/signals.ts';

let server: RedisServer;
let one: RedisInstance;
let two: RedisInstance;
let first: string;
let second: string;

beforeAll(async () => {
  first = Buffer.from(await png()).toString('base64');
  second = Buffer.from(await webp()).toString('base64');
});
beforeEach(async () => {
  server = await startRedis();
  one = await startInstance(server, { name: 'one' });
  two = await startInstance(server, { name: 'two' });
});
afterEach(async () => {
  one.close();
  two.close();
  await server.stop();
});

/** Another program's hand. */
async function set(key: string, value: string, ...more: readonly string[]): Promise<void> {
  await one.clients.stream.call('SET', key, value, ...more);
}

async function mime(instance: RedisInstance, key = 'image:x'): Promise<string | undefined> {
  return (await instance.cache.find(key, nobody))?.entry.mime;
}

async function bothHave(wanted: string): Promise<void> {
  await eventually(async () => (await mime(one)) === wanted && (await mime(two)) === wanted, wanted);
}

function bothDropped(key: string): boolean {
  return one.cache.peek(key) === undefined && two.cache.peek(key) === undefined;
}

async function warm(key = 'image:x'): Promise<void> {
  expect([await mime(one, key), await mime(two, key)]).toEqual(['image/png', 'image/png']);
  expect(bothDropped(key)).toBe(false);
}

describe('a change in Redis', () => {
  it('by another program reaches the memory of every instance', async () => {
    await set('image:x', first);
    await warm();
    await set('image:x', second);
    await eventually(() => bothDropped('image:x'), 'both forgot it');
    await bothHave('image/webp');
  });

  it('by one instance reaches the others, and its own memory keeps what it wrote', async () => {
    await set('image:x', first);
    await warm();
    const body = bodyOf(1, 100);
    await one.cache.put(entryOf('image:x', body, { mime: 'image/gif' }), body, nobody);
    expect(one.cache.peek('image:x')?.entry.mime).toBe('image/gif');
    await eventually(async () => (await mime(two)) === 'image/gif', 'two has it');
    expect(one.cache.peek('image:x')?.entry.mime).toBe('image/gif');
    await one.cache.delete('image:x', nobody);
    await eventually(async () => (await mime(two)) === undefined, 'two lost it');
  });

  it.each([
    ['DEL', ['DEL', 'image:x']],
    ['UNLINK', ['UNLINK', 'image:x']],
    ['RENAME', ['RENAME', 'image:x', 'image:y']],
    ['expiry', ['PEXPIRE', 'image:x', '30']],
    ['FLUSHALL', ['FLUSHALL']],
    ['FLUSHDB', ['FLUSHDB']],
  ])('by %s is heard', async (_, command) => {
    await set('image:x', first);
    await warm();
    await server.cli(...command);
    await eventually(async () => bothDropped('image:x') && (await mime(one)) === undefined, 'it is gone');
    expect(await mime(two)).toBeUndefined();
  });

  it('by eviction is heard', async () => {
    await set('image:x', first);
    await warm();
    await server.cli('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru', 'maxmemory', '2mb');
    for (let n = 0; n < 40 && !bothDropped('image:x'); n += 1) await set(`other:${n}`, first);
    await eventually(() => bothDropped('image:x'), 'it was evicted');
  });

  it('of a value or a partial is heard, too', async () => {
    const body = bodyOf(1, 10);
    for (const key of ['cache:a', 'partial:a']) {
      await one.cache.put(entryOf(key, body), body, nobody);
      expect(await mime(two, key)).toBe('image/png');
      await one.cache.put(entryOf(key, body, { mime: 'image/gif' }), body, nobody);
      await eventually(async () => (await mime(two, key)) === 'image/gif', key);
    }
    expect(await one.cache.deleteWhere((key) => key.startsWith('cache:'), nobody)).toBe(1);
    await eventually(() => bothDropped('cache:a'), 'the clearing is heard');
  });

  it('during a read keeps what was read out of memory', async () => {
    await set('image:x', first);
    // The reply is on its way when the change comes in.
    const reading = one.cache.find('image:x', nobody);
    one.cache.invalidate('image:x');
    const found = await reading;
    expect(found !== undefined && isWhole(found.body)).toBe(true);
    expect(one.cache.peek('image:x')).toBeUndefined();
  });

  it('is never missed under load: the last value is the one that is served', async () => {
    let stop = false;
    const readers = [one, two].map(async (instance) => {
      while (!stop) {
        await mime(instance);
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
    for (let round = 0; round < 60; round += 1) await set('image:x', round % 2 === 0 ? first : second);
    await bothHave('image/webp');
    stop = true;
    await Promise.all(readers);
    expect(await mime(one)).toBe('image/webp');
  });
});

describe('a lost channel', () => {
  async function clientIds(): Promise<{ subscribers: string[]; tracking: string[] }> {
    const lines = (await server.cli('CLIENT', 'LIST')).split('\n');
    const idOf = (line: string): string => /\bid=(\d+)/.exec(line)?.[1] ?? '';
    return {
      subscribers: lines.filter((line) => /\bsub=1\b/.test(line)).map(idOf),
      tracking: lines.filter((line) => /\bflags=\S*[tB]/.test(line)).map(idOf),
    };
  }

  async function kill(ids: readonly string[]): Promise<void> {
    expect(ids.length).toBe(2);
    for (const id of ids) await server.cli('CLIENT', 'KILL', 'ID', id);
  }

  async function recovers(): Promise<void> {
    await eventually(() => one.heard.includes('lost') && two.heard.includes('lost'), 'both noticed');
    await Promise.all([one.armed(), two.armed()]);
    await bothHave('image/webp');
    await set('image:x', first);
    await bothHave('image/png');
  }

  it('is noticed and armed again when the invalidation connection is killed', async () => {
    await set('image:x', first);
    await warm();
    await kill((await clientIds()).subscribers);
    await set('image:x', second);
    await recovers();
  });

  it('is noticed and armed again when the data connection is killed', async () => {
    await set('image:x', first);
    await warm();
    await kill((await clientIds()).tracking);
    await set('image:x', second);
    await recovers();
  });

  it('is noticed when Redis hangs, and nothing in memory is served meanwhile', async () => {
    await set('image:x', first);
    await warm();
    server.freeze();
    try {
      await eventually(() => !one.channel.isArmed() && !two.channel.isArmed(), 'both noticed');
      expect(bothDropped('image:x')).toBe(true);
    } finally {
      server.thaw();
    }
    await Promise.all([one.armed(), two.armed()]);
    await eventually(() => one.clients.stream.status === 'ready', 'the other program is back');
    await set('image:x', second);
    await recovers();
  });

  it('is noticed when Redis restarts empty', async () => {
    await set('image:x', first);
    await warm();
    await server.kill();
    await eventually(() => !one.channel.isArmed() && !two.channel.isArmed(), 'both noticed');
    await server.start();
    await eventually(() => one.clients.stream.status === 'ready', 'the other program is back');
    await set('image:x', second);
    await recovers();
  });

  it('is noticed when somebody turns tracking off', async () => {
    await set('image:x', first);
    await warm();
    await one.clients.data.call('CLIENT', 'TRACKING', 'OFF');
    await two.clients.data.call('CLIENT', 'TRACKING', 'OFF');
    await set('image:x', second);
    await recovers();
  });

  it('keeps nothing in memory of what is read before it is armed again', async () => {
    await set('image:x', first);
    // Redis throws out who subscribed to what is not allowed any more, and refuses it from then on.
    await server.cli('ACL', 'SETUSER', 'default', 'resetchannels');
    await eventually(() => !one.channel.isArmed(), 'it noticed');
    expect(await mime(one)).toBe('image/png');
    expect(one.cache.peek('image:x')).toBeUndefined();
    await server.cli('ACL', 'SETUSER', 'default', 'allchannels');
    await one.armed();
    expect(await mime(one)).toBe('image/png');
    expect(one.cache.peek('image:x')).toBeDefined();
  });
});
