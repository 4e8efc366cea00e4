/** How large values come off the socket: src/app/redis-socket.ts under a real client. */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRedisClients, type RedisClients } from '../../../src/app/redis-clients.ts';
import { connectionTo, startRedis, type RedisServer } from '../../fixtures/redis-server.ts';

const LIMIT = 2_000_000;

let server: RedisServer;
let clients: RedisClients;

beforeAll(async () => {
  server = await startRedis();
  clients = createRedisClients(connectionTo(server, { maxValueBytes: LIMIT }), () => undefined);
  await clients.ready(5000);
});
afterAll(async () => {
  clients.close();
  await server.stop();
});

/** No two neighbours alike, so that a piece in the wrong place is seen. */
function pattern(bytes: number): Buffer {
  const made = Buffer.alloc(bytes);
  for (let at = 0; at < bytes; at += 1) made[at] = (at * 31 + (at >> 8)) & 0xff;
  return made;
}

describe('large values', () => {
  it('come whole, in a buffer of their own', async () => {
    const body = pattern(1_500_000);
    await clients.data.set('large', body);
    const reply = await clients.data.getBuffer('large');
    expect(reply?.equals(body)).toBe(true);
    expect([reply?.byteOffset, reply?.buffer.byteLength]).toEqual([0, body.length + 2]);
  });

  it('come whole over the limit, too', async () => {
    const body = pattern(LIMIT + 1);
    await clients.data.set('over', body);
    expect((await clients.data.getBuffer('over'))?.equals(body)).toBe(true);
  });

  it('come in their place among other answers', async () => {
    const { data } = clients;
    const [one, two] = [pattern(300_000), pattern(5000)];
    await Promise.all([data.hset('hash', 'one', one, 'none', '', 'two', two), data.set('text', 'short')]);
    const [hash, text, wrong, again] = await Promise.all([
      data.hmgetBuffer('hash', 'one', 'missing', 'none', 'two'),
      data.get('text'),
      data.get('hash').catch(String),
      data.hgetBuffer('hash', 'two'),
    ]);
    expect(hash.map((field) => field?.length)).toEqual([one.length, undefined, 0, two.length]);
    expect([hash[0]?.equals(one), hash[3]?.equals(two), again?.equals(two)]).toEqual([true, true, true]);
    expect([text, wrong]).toEqual(['short', expect.stringContaining('WRONGTYPE')]);
  });

  it('stay as they came while others arrive', async () => {
    const { data } = clients;
    const bodies = [1000, 5000, 70_000, 400_000].map(pattern);
    await Promise.all(bodies.map(async (body, at) => data.set(`many:${at}`, body)));
    const asked = Array.from({ length: 40 }, async (_, at) => data.getBuffer(`many:${at % bodies.length}`));
    const replies = await Promise.all(asked);
    for (const [at, reply] of replies.entries()) {
      expect(reply?.equals(bodies[at % bodies.length] ?? Buffer.alloc(0))).toBe(true);
    }
  });

  it('that break off fail their command; the next connection begins anew', async () => {
    const hurt = new Set<Socket>();
    let isBreaking = true;
    const between = createServer((socket) => {
      hurt.add(socket);
      socket.on('error', () => undefined).on('data', (asked) => answer(socket, String(asked)));
    }).listen(0, '127.0.0.1');
    const answer = (socket: Socket, asked: string): void => {
      if (!asked.toLowerCase().includes('get')) {
        const commands = asked.match(/^\*\d+\r$/gm) ?? [];
        socket.write(commands.map(() => '$20\r\nredis_version:7.0.15\r\n').join(''));
      } else if (isBreaking) socket.end(`$100000\r\n${'x'.repeat(50_000)}`);
      else socket.write('$5\r\nwhole\r\n');
    };
    await once(between, 'listening');
    const address = between.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const other = createRedisClients(connectionTo(server, { port, maxValueBytes: LIMIT }), () => undefined);
    try {
      expect(await other.ready(5000)).toBe(true);
      await expect(other.data.get('any')).rejects.toThrow(/max retries/);
      isBreaking = false;
      await once(other.data, 'ready');
      expect(await other.data.get('any')).toBe('whole');
    } finally {
      other.close();
      for (const socket of hurt) socket.destroy();
      between.close();
    }
  });
});
