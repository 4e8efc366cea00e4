/** The same behind a sentinel, through a failover. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { draftOf, idsOf, listenTo } from '../../contract/bus.contract.ts';
import { bodyOf, entryOf } from '../../fixtures/entries.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { webp } from '../../fixtures/images.ts';
import { startBus } from '../../fixtures/redis-bus.ts';
import { startInstance } from '../../fixtures/redis-instance.ts';
import { startRedisSentinel, type RedisSentinel } from '../../fixtures/redis-sentinel.ts';
import { nobody } from '../../fixtures/signals.ts';

let sentinel: RedisSentinel;

beforeEach(async () => {
  sentinel = await startRedisSentinel();
}, 30_000);
afterEach(async () => sentinel.stop());

describe('behind a sentinel', () => {
  it('the new master is written to and listened to after a failover', { timeout: 30_000 }, async () => {
    const [old, next] = sentinel.servers;
    const one = await startInstance(old, { url: sentinel.url });
    try {
      const body = bodyOf(1, 50);
      await one.cache.put(entryOf('image:x', body), body, nobody);
      await sentinel.failover();
      await eventually(() => one.heard.includes('lost'), 'it noticed');
      await one.armed();
      const put = async (): Promise<boolean> =>
        one.tier.put(entryOf('image:y', body), body, nobody).catch(() => false);
      await eventually(put, 'it writes');
      expect(await next.cli('EXISTS', 'image:y')).toBe('1');
      expect((await one.cache.find('image:y', nobody))?.entry.mime).toBe('image/png');
      await next.cli('SET', 'image:y', Buffer.from(await webp()).toString('base64'));
      await eventually(() => one.cache.peek('image:y') === undefined, 'it heard of it');
      expect((await one.cache.find('image:y', nobody))?.entry.mime).toBe('image/webp');
    } finally {
      one.close();
    }
  });

  it('events go on after a failover, each once', { timeout: 30_000 }, async () => {
    const limits = { limitEvents: 1000, limitBytes: 4_000_000, maxAgeMs: 60_000 };
    const [old] = sentinel.servers;
    const one = await startBus(old, limits, true, sentinel.url);
    try {
      const heard = listenTo(one.bus);
      await one.bus.publish(draftOf('before'));
      await heard.until(1);
      await sentinel.failover();
      await eventually(async () => {
        await one.bus.publish(draftOf('probe'));
        return !one.bus.stats().local;
      }, 'it publishes again');
      await one.bus.publish(draftOf('after'));
      await eventually(() => idsOf(heard.events).includes('after'), 'it is given');
      const cursors = heard.events.map(({ cursor }) => cursor);
      expect(new Set(cursors).size).toBe(cursors.length);
      expect(idsOf(heard.events).filter((id) => id !== 'probe')).toEqual(['before', 'after']);
    } finally {
      await one.close();
    }
  });
});
