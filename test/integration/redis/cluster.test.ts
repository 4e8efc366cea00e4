/** The same over a cluster of three masters. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { draftOf, idsOf, listenTo } from '../../contract/bus.contract.ts';
import { bodyOf, entryOf } from '../../fixtures/entries.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { webp } from '../../fixtures/images.ts';
import { startBus } from '../../fixtures/redis-bus.ts';
import { startRedisCluster, type RedisCluster } from '../../fixtures/redis-cluster.ts';
import { startInstance, type RedisInstance } from '../../fixtures/redis-instance.ts';
import type { RedisServer } from '../../fixtures/redis-server.ts';
import { nobody } from '../../fixtures/signals.ts';

let cluster: RedisCluster;
let first: RedisServer;
let instances: RedisInstance[] = [];

beforeAll(async () => {
  cluster = await startRedisCluster();
  const [node] = cluster.nodes;
  if (node === undefined) throw new Error('no node');
  first = node;
}, 30_000);
afterAll(async () => cluster.stop());
afterEach(() => {
  for (const instance of instances) instance.close();
  instances = [];
});

async function start(name: string): Promise<RedisInstance> {
  const instance = await startInstance(first, { name, url: cluster.url });
  instances.push(instance);
  return instance;
}

/** On every node there are some of these. */
const IDS = Array.from({ length: 24 }, (_, n) => `i${n}`);

describe('a cluster', () => {
  it('tells each change on each node to each instance', async () => {
    const [one, two] = [await start('one'), await start('two')];
    const value = Buffer.from(await webp()).toString('base64');
    for (const id of IDS) await first.cli('-c', 'SET', `image:${id}`, value);
    for (const id of IDS) {
      expect((await one.cache.find(`image:${id}`, nobody))?.entry.mime).toBe('image/webp');
      expect((await two.cache.find(`image:${id}`, nobody))?.entry.mime).toBe('image/webp');
      expect(two.cache.peek(`image:${id}`)).toBeDefined();
    }
    const body = bodyOf(1, 50);
    for (const id of IDS) await one.cache.put(entryOf(`image:${id}`, body), body, nobody);
    await eventually(() => IDS.every((id) => two.cache.peek(`image:${id}`) === undefined), 'two forgot all');
    expect((await two.cache.find('image:i7', nobody))?.entry.mime).toBe('image/png');
  });

  it('keeps renderings with their image and clears by a test over all nodes', async () => {
    const one = await start('one');
    const body = bodyOf(2, 50);
    for (const id of IDS) {
      await one.tier.put(entryOf(`cache:${id}`, body), body, nobody);
      await one.tier.put(entryOf(`variant:w:${id}`, body, { parent: 'image:p' }), body, nobody);
    }
    await one.tier.put(entryOf('image:p', body), body, nobody);
    expect(await one.tier.delete('image:p', nobody)).toBe(true);
    expect(await one.tier.get('variant:w:i3', nobody)).toBeUndefined();
    expect(await one.tier.deleteWhere((key) => key.startsWith('cache:'), nobody)).toBe(IDS.length);
  });

  it('is deaf when one node is, and hears again by itself', async () => {
    const one = await start('one');
    const [, second] = cluster.nodes;
    const lines = (await second?.cli('CLIENT', 'LIST'))?.split('\n') ?? [];
    const ids = lines
      .filter((line) => /\bsub=1\b/.test(line))
      .map((line) => /\bid=(\d+)/.exec(line)?.[1] ?? '');
    expect(ids.length).toBe(1);
    for (const id of ids) await second?.cli('CLIENT', 'KILL', 'ID', id);
    await eventually(() => one.heard.includes('lost'), 'it noticed');
    await one.armed();
    expect(one.heard.filter((what) => what === 'armed').length).toBe(2);
  });

  it('recovers when a node dies and comes back', async () => {
    const one = await start('one');
    const [, second] = cluster.nodes;
    await second?.kill();
    await eventually(() => !one.channel.isArmed(), 'it noticed');
    await second?.start();
    await one.armed();
    const isWhole = async (): Promise<boolean> =>
      (await first.cli('CLUSTER', 'INFO')).includes('cluster_state:ok');
    await eventually(isWhole, 'the cluster is whole');
    const body = bodyOf(3, 50);
    const put = async (id: string): Promise<boolean> =>
      one.tier.put(entryOf(`image:${id}`, body), body, nobody).catch(() => false);
    for (const id of IDS) await eventually(async () => put(id), `${id} is stored`);
  });

  it('carries events', async () => {
    const limits = { limitEvents: 1000, limitBytes: 4_000_000, maxAgeMs: 60_000 };
    const one = await startBus(first, limits, true, cluster.url);
    const two = await startBus(first, limits, true, cluster.url);
    try {
      const heard = listenTo(two.bus);
      for (const id of IDS) await one.bus.publish(draftOf(id));
      await heard.until(IDS.length);
      expect(idsOf(heard.events)).toEqual(IDS);
    } finally {
      await Promise.all([one.close(), two.close()]);
    }
  });
});
