/** What other programs write under image:{id}, with a real Redis. */
import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { isWhole } from '../../../src/core/entry.ts';
import { bodyOf, entryOf } from '../../fixtures/entries.ts';
import { png, webp } from '../../fixtures/images.ts';
import { startInstance, type RedisInstance } from '../../fixtures/redis-instance.ts';
import { startRedis, type RedisServer } from '../../fixtures/redis-server.ts';
import { nobody } from '../../fixtures/signals.ts';

let server: RedisServer;
let instance: RedisInstance;

beforeAll(async () => {
  server = await startRedis();
});
afterAll(async () => server.stop());
beforeEach(async () => {
  await server.cli('FLUSHALL');
  instance = await startInstance(server);
});
afterEach(() => instance.close());

async function set(key: string, value: string | Uint8Array, ...more: readonly string[]): Promise<void> {
  await instance.clients.stream.call('SET', key, Buffer.from(value), ...more);
}

async function bytes(key: string): Promise<Buffer | undefined> {
  const stored = await instance.tier.get(key, nobody);
  return stored !== undefined && isWhole(stored.body) ? Buffer.from(stored.body) : undefined;
}

describe('an image that another program stored', () => {
  it.each(['base64_data', 'b64_json', 'image_data', 'data'])('is read from JSON with %s', async (field) => {
    const image = Buffer.from(await png());
    await set('image:x', JSON.stringify({ mime_type: 'text/html', [field]: image.toString('base64') }));
    expect((await bytes('image:x'))?.equals(image)).toBe(true);
    expect((await instance.tier.get('image:x', nobody))?.entry).toMatchObject({
      key: 'image:x',
      mime: 'image/png',
      version: createHash('sha256').update(image).digest('hex'),
      bytes: image.byteLength,
      expiresAtMs: 0,
    });
  });

  it('is read from JSON as Python writes it, with a data URL inside', async () => {
    const image = Buffer.from(await webp());
    const url = `data:image/webp;base64,${image.toString('base64')}`;
    await set('image:x', `{"image_id": "x", "data": "${url}", "topics": ["job:42"], "meta": {"step": 3}}`);
    expect((await bytes('image:x'))?.equals(image)).toBe(true);
    const stored = await instance.tier.get('image:x', nobody);
    expect(stored?.entry).toMatchObject({ mime: 'image/webp', topics: ['job:42'], meta: { step: 3 } });
  });

  it('is read from bare base64, with line breaks too', async () => {
    const image = Buffer.from(await png());
    const wrapped = image.toString('base64').replace(/(.{76})/g, '$1\n');
    await set('image:x', wrapped);
    expect((await bytes('image:x'))?.equals(image)).toBe(true);
  });

  it('is read from a data URL', async () => {
    const image = Buffer.from(await png());
    await set('image:x', `data:image/png;base64,${image.toString('base64')}`);
    expect((await bytes('image:x'))?.equals(image)).toBe(true);
  });

  it('is read from raw bytes, in a buffer that ends with them or a line end later', async () => {
    for (const image of [Buffer.from(await png()), Buffer.from(await webp())]) {
      await set('image:x', image);
      const stored = await instance.tier.get('image:x', nobody);
      const body = stored !== undefined && isWhole(stored.body) ? stored.body : new Uint8Array(0);
      expect(image.equals(body)).toBe(true);
      expect(body.buffer.byteLength - image.byteLength).toBeOneOf([0, 2]);
    }
  });

  it('is found whatever type the keys before it were of, and asked for as that type afterwards', async () => {
    const image = Buffer.from(await png());
    const own = bodyOf(1, 1000);
    await set('image:theirs', image);
    await instance.tier.put(entryOf('image:ours', own), own, nobody);
    for (const key of ['image:theirs', 'image:ours', 'image:ours', 'image:theirs', 'image:none']) {
      const expected = { 'image:theirs': image, 'image:ours': Buffer.from(own) }[key];
      expect((await bytes(key))?.equals(expected ?? Buffer.alloc(0))).toBe(expected && true);
    }
    for (let time = 0; time < 100; time += 1) await bytes('image:theirs');
    await server.cli('CONFIG', 'RESETSTAT');
    for (let time = 0; time < 10; time += 1) await bytes('image:theirs');
    const commands = await server.cli('INFO', 'commandstats');
    expect(/cmdstat_getrange:calls=(\d+)/.exec(commands)?.[1]).toBe('10');
    expect(commands).not.toContain('cmdstat_hmget');
  });

  it('expires when Redis says so', async () => {
    await set('image:x', await png(), 'PX', '60000');
    const before = Date.now();
    const { expiresAtMs } = (await instance.tier.get('image:x', nobody))?.entry ?? { expiresAtMs: 0 };
    expect(expiresAtMs).toBeGreaterThan(before + 50_000);
    expect(expiresAtMs).toBeLessThanOrEqual(Date.now() + 60_000);
  });

  it('is a miss, and named, when it is no image', async () => {
    await set('image:text', 'hello, world');
    await set('image:json', '{"base64_data": 7}');
    await set('image:base64', Buffer.from('this is not an image at all, only text').toString('base64'));
    await set('image:svg', '<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>');
    await set('image:large', Buffer.alloc(4_000_001));
    for (const id of ['text', 'json', 'base64', 'svg', 'large']) {
      expect(await bytes(`image:${id}`)).toBeUndefined();
    }
    expect(instance.unreadable).toEqual([
      'image:text not_an_image',
      'image:json envelope_without_image',
      'image:base64 not_an_image',
      'image:svg not_an_image',
      'image:large value_too_large',
    ]);
    await server.cli('RPUSH', 'image:list', 'a');
    await server.cli('HSET', 'image:hash', 'field', 'a');
    expect(await bytes('image:list')).toBeUndefined();
    expect(await bytes('image:hash')).toBeUndefined();
  });
});

describe('what this server stores', () => {
  it('replaces another program’s value of any type, and is replaced by it', async () => {
    const [image, body] = [Buffer.from(await png()), bodyOf(1, 100_000)];
    await server.cli('SADD', 'image:x', 'a');
    expect(await instance.tier.put(entryOf('image:x', body), body, nobody)).toBe(true);
    expect((await bytes('image:x'))?.equals(body)).toBe(true);
    await set('image:x', image.toString('base64'));
    expect((await bytes('image:x'))?.equals(image)).toBe(true);
    await instance.tier.put(entryOf('image:x', body), body, nobody);
    expect((await bytes('image:x'))?.equals(body)).toBe(true);
  });

  it('gets the default ttl as an image, its own where it has one, and none as a value', async () => {
    const body = bodyOf(1, 10);
    await instance.tier.put(entryOf('image:x', body), body, nobody);
    await instance.tier.put(entryOf('image:y', body, { expiresAtMs: Date.now() + 60_000 }), body, nobody);
    await instance.tier.put(entryOf('cache:z', body), body, nobody);
    expect(Number(await server.cli('TTL', 'image:x'))).toBeGreaterThan(7100);
    expect(Number(await server.cli('TTL', 'image:y'))).toBeLessThanOrEqual(60);
    expect(await server.cli('TTL', 'afterimage:cache:z')).toBe('-1');
  });

  it('is read by other programs with REDIS_FORMAT=json', async () => {
    instance.close();
    instance = await startInstance(server, { format: 'json' });
    const image = Buffer.from(await png());
    await instance.tier.put(entryOf('image:x', image), image, nobody);
    const parsed: unknown = JSON.parse(await server.cli('GET', 'image:x'));
    expect(parsed).toMatchObject({ mime_type: 'image/png', base64_data: image.toString('base64') });
  });

  it('is read as theirs when they changed it and left our mark in it', async () => {
    instance.close();
    instance = await startInstance(server, { format: 'json' });
    const [first, second] = [Buffer.from(await png()), Buffer.from(await webp())];
    await instance.tier.put(entryOf('image:x', first), first, nobody);
    const text = await server.cli('GET', 'image:x');
    await set('image:x', text.replace(first.toString('base64'), second.toString('base64')));
    const stored = await instance.tier.get('image:x', nobody);
    expect(stored?.entry.mime).toBe('image/webp');
    expect(stored?.entry.version).toBe(createHash('sha256').update(second).digest('hex'));
  });

  it('is not kept, and nothing fails, when Redis is full', async () => {
    await server.cli('CONFIG', 'SET', 'maxmemory', '1mb', 'maxmemory-policy', 'noeviction');
    const body = bodyOf(1, 2_000_000);
    expect(await instance.tier.put(entryOf('image:x', body), body, nobody)).toBe(false);
    await server.cli('CONFIG', 'SET', 'maxmemory', '0');
    expect(await instance.tier.put(entryOf('image:x', body), body, nobody)).toBe(true);
  });
});

describe('clearing by a test', () => {
  it('walks every key, leaves other programs’ alone, and stops when told', async () => {
    const pipeline = instance.clients.stream.pipeline();
    for (let n = 0; n < 5000; n += 1) pipeline.set(`afterimage:cache:p${n % 2}:${n}`, 'x');
    pipeline.set('session:p1:1', 'x').set('image:[a]*', 'x');
    await pipeline.exec();
    const left = AbortSignal.abort(new Error('left'));
    await expect(instance.tier.deleteWhere(() => true, left)).rejects.toThrow('left');
    expect(await instance.tier.deleteWhere((key) => key.startsWith('cache:p1:'), nobody)).toBe(2500);
    expect(await server.cli('DBSIZE')).toBe('2502');
    expect(await instance.tier.deleteWhere(() => true, nobody)).toBe(2501);
    expect(await server.cli('EXISTS', 'session:p1:1')).toBe('1');
  });
});
