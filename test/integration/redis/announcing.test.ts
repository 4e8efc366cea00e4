/** What other programs do to images in Redis is announced once over all instances. */
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { announceDeleted, readForeign } from '../../../src/flows/announce-foreign.ts';
import { createAnnouncer, type Announcer } from '../../../src/redis/announcer.ts';
import { createImageStates } from '../../../src/redis/image-state.ts';
import { createRedisKeys } from '../../../src/redis/redis-keys.ts';
import { entryOf } from '../../fixtures/entries.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { gif, jpeg, png, webp } from '../../fixtures/images.ts';
import { ingestHere, startInstance, type RedisInstance } from '../../fixtures/redis-instance.ts';
import { startRedis, type RedisServer } from '../../fixtures/redis-server.ts';
import { nobody } from '../../fixtures/signals.ts';

interface AnnouncingInstance extends RedisInstance {
  readonly announcer: Announcer;
}

let server: RedisServer;
let instances: AnnouncingInstance[];
/** Of all instances, as subscribers would get it. */
let told: string[];
let values: Record<'png' | 'webp' | 'gif' | 'jpeg', string>;

beforeAll(async () => {
  const base64 = async (make: () => Promise<Uint8Array>): Promise<string> =>
    Buffer.from(await make()).toString('base64');
  values = {
    png: await base64(png),
    webp: await base64(webp),
    gif: await base64(gif),
    jpeg: await base64(jpeg),
  };
});

async function startAnnouncing(name: string, format: 'hash' | 'json'): Promise<AnnouncingInstance> {
  const heard: string[] = [];
  let changed = (id: string): void => void heard.push(id);
  const instance = await startInstance(server, { name, format, onImage: (id) => changed(id) });
  const states = createImageStates(instance.clients.data, {
    keys: createRedisKeys('image:'),
    instance: name,
    claimMs: 2000,
    defaultTtlMs: 7_200_000,
  });
  const flow = {
    cache: instance.cache,
    pool: { ingest: ingestHere },
    publicBaseUrl: '',
    announce: async ({ name: event, data }: { name: string; data: { id: string; mime?: string } }) =>
      told.push([event, data.id, data.mime ?? ''].join(' ').trim()),
  };
  const announcer = createAnnouncer(
    { queueMax: 100, concurrency: 4, timeoutMs: 5000, retryMs: 50 },
    {
      states,
      flow: {
        read: async (id, signal) => readForeign(id, flow, signal),
        deleted: async (id) => announceDeleted(id, flow),
      },
      onFailed: (id, error) => told.push(`failed ${id} ${String(error)}`),
    },
  );
  changed = announcer.changed;
  return { ...instance, announcer };
}

async function start(format: 'hash' | 'json' = 'hash'): Promise<void> {
  server = await startRedis();
  told = [];
  instances = [];
  for (const name of ['one', 'two', 'three']) instances.push(await startAnnouncing(name, format));
}

async function stop(): Promise<void> {
  await Promise.all(instances.map(async ({ announcer }) => announcer.close()));
  for (const instance of instances) instance.close();
  await server.stop();
}

beforeEach(async () => start());
afterEach(stop);

let markers = 0;

/** When every change that was made so far has been heard and looked at by everybody. */
async function settled(): Promise<void> {
  // No id of an image: nobody announces it.
  const marker = `image:?${(markers += 1)}`;
  await server.cli('SET', marker, 'x');
  const isIdle = ({ heard, announcer }: AnnouncingInstance): boolean => {
    const { queued, running } = announcer.stats();
    return heard.includes(marker) && queued + running === 0;
  };
  await eventually(() => instances.every(isIdle), `all is quiet: ${told.join(', ')}`);
}

async function tells(...events: readonly string[]): Promise<void> {
  await eventually(() => told.length >= events.length, `told ${events.join(', ')}; was ${told.join(', ')}`);
  await settled();
  expect(told).toEqual(events);
}

describe('an image that another program sets', () => {
  it('is announced once over all instances, each time that it changes', async () => {
    await server.cli('SET', 'image:x', values.webp);
    await tells('image.ready x image/webp');
    await server.cli('SET', 'image:x', `{"base64_data":"${values.gif}"}`);
    await tells('image.ready x image/webp', 'image.ready x image/gif');
    await server.cli('SET', 'image:x', values.webp);
    await tells('image.ready x image/webp', 'image.ready x image/gif', 'image.ready x image/webp');
  });

  it('is not announced again when only its time to live changes, or the same bytes come again', async () => {
    await server.cli('SET', 'image:x', values.webp);
    await tells('image.ready x image/webp');
    await server.cli('EXPIRE', 'image:x', '100');
    await settled();
    await server.cli('SET', 'image:x', `data:image/webp;base64,${values.webp}`);
    await tells('image.ready x image/webp');
  });

  it('is announced as gone once, when deleted, expired or renamed', async () => {
    await server.cli('SET', 'image:x', values.webp);
    await tells('image.ready x image/webp');
    await server.cli('DEL', 'image:x');
    await tells('image.ready x image/webp', 'image.deleted x');
    told.length = 0;
    await server.cli('SET', 'image:x', values.webp, 'PX', '150');
    await tells('image.ready x image/webp', 'image.deleted x');
    told.length = 0;
    await server.cli('SET', 'image:x', values.webp);
    await tells('image.ready x image/webp');
    told.length = 0;
    await server.cli('RENAME', 'image:x', 'image:y');
    await eventually(() => told.length === 2, 'both are told');
    expect(told.toSorted()).toEqual(['image.deleted x', 'image.ready y image/webp']);
  });

  it('is not announced when it is no image, or no id of one', async () => {
    await server.cli('SET', 'image:x', 'hello');
    await server.cli('SET', 'image:a/../b', values.webp);
    await tells();
  });

  it('ends, after a burst of changes, with the last one announced', async () => {
    for (let round = 0; round < 20; round += 1) {
      await server.cli('SET', 'image:x', round % 2 === 0 ? values.webp : values.gif);
    }
    await settled();
    expect(told.at(-1)).toBe('image.ready x image/gif');
    expect(told.filter((one) => one.startsWith('failed'))).toEqual([]);
    for (const [at, one] of told.entries()) expect(one).not.toBe(told[at + 1]);
  });

  it('is announced each, when many come at once', async () => {
    const pipeline = instances[0]?.clients.stream.pipeline();
    for (let n = 0; n < 60; n += 1) pipeline?.set(`image:${n}`, values.webp);
    await pipeline?.exec();
    await eventually(() => told.length === 60, 'sixty are told');
    await settled();
    expect(new Set(told).size).toBe(60);
    expect(told.length).toBe(60);
  });
});

describe.each(['hash', 'json'] as const)('what an instance itself does, stored as %s,', (format) => {
  beforeEach(async () => {
    await stop();
    await start(format);
  });

  it('is not announced by the others', async () => {
    const [one] = instances;
    const body = await webp();
    const entry = entryOf('image:x', body, { mime: 'image/webp' });
    await one?.tier.put(entry, body, nobody);
    await settled();
    await one?.tier.delete('image:x', nobody);
    await settled();
    await one?.tier.put(entry, body, nobody);
    await settled();
    await one?.tier.deleteWhere(() => true, nobody);
    await tells();
  });

  it('does not keep the same bytes of another program from being announced later', async () => {
    await server.cli('SET', 'image:x', values.gif);
    await tells('image.ready x image/gif');
    const body = await webp();
    await instances[1]?.tier.put(entryOf('image:x', body, { mime: 'image/webp' }), body, nobody);
    await settled();
    await server.cli('SET', 'image:x', values.gif);
    await tells('image.ready x image/gif', 'image.ready x image/gif');
  });

  it('is announced as gone when another program deletes it', async () => {
    const body = await webp();
    await instances[0]?.tier.put(entryOf('image:x', body), body, nobody);
    await settled();
    await server.cli('DEL', 'image:x');
    await tells('image.deleted x');
  });
});
