import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRedisClients, type RedisClients } from '../../src/app/redis-clients.ts';
import { createCache } from '../../src/library/create-cache.ts';
import { connectionTo, startRedis, type RedisServer } from '../fixtures/redis-server.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

it('does what docs/library.md says, and lets the process end', async () => {
  const guide = await readFile(join(ROOT, 'docs/library.md'), 'utf8');
  const [, example = '', printed = ''] = /```js\n(.*?)```\s+prints\s+```\n(.*?)```/s.exec(guide) ?? [];
  // Within the package, so that it finds itself by its name, as a service would that has installed it.
  const folder = await mkdtemp(join(ROOT, 'dist/example-'));
  try {
    await writeFile(join(folder, 'example.mjs'), example);
    const { stdout } = await promisify(execFile)(process.execPath, [join(folder, 'example.mjs')]);
    expect(stdout).toBe(printed);
  } finally {
    await rm(folder, { recursive: true });
  }
});

it('keeps values in its folder over a restart', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'afterimage-library-'));
  const first = createCache({ dir, diskMb: 10 });
  await first.set('kept', new Map([['a', 1]]));
  await first.close();
  const second = createCache({ dir, diskMb: 10 });
  expect(await second.get('kept')).toEqual(new Map([['a', 1]]));
  await second.close();
  await rm(dir, { recursive: true });
});

describe('with Redis', () => {
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

  it('shares values between services, and forgets them for all', async () => {
    const [one, other] = [createCache({ redis: clients.data }), createCache({ redis: clients.data })];
    let calls = 0;
    const load = async (id: number) => {
      calls += 1;
      return { id, calls };
    };
    const options = { prefix: 'load', ttl: 60 };
    expect(await one.cacheResult(load, options)(1)).toEqual({ id: 1, calls: 1 });
    expect(await other.cacheResult(load, options)(1)).toEqual({ id: 1, calls: 1 });
    expect(await other.clear('load:*')).toBe(1);
    expect(await one.cacheResult(load, options)(1)).toEqual({ id: 1, calls: 2 });
    expect(await one.get('nothing')).toBeUndefined();
  });

  it('answers while Redis hangs or is gone, within its time, and uses it again when it is back', async () => {
    const lines: string[] = [];
    const log = {
      info: (_: object, line: string) => lines.push(line),
      warn: (_: object, line: string) => lines.push(line),
    };
    const cache = createCache({ redis: clients.data, timeoutMs: 100, log });
    const load = cache.cacheResult(async (id: number) => id * 2, { prefix: 'double', ttl: 60 });
    server.freeze();
    for (const id of [1, 2, 3, 4]) expect(await load(id)).toBe(id * 2);
    expect(lines).toEqual(['The redis tier fails: going on without it']);
    server.thaw();
    await expect.poll(async () => cache.set('again', 1), { timeout: 15_000 }).toBe(true);
    expect(await cache.get('again')).toBe(1);
    expect(lines.at(-1)).toBe('The redis tier works again');
  });

  it('takes a value of another program for none', async () => {
    const cache = createCache({ redis: clients.data });
    await clients.data.set('afterimage:cache:theirs', '{"not":"ours"}');
    expect(await cache.get('theirs')).toBeUndefined();
  });
});
