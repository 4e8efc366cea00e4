import { describe, expect, it } from 'vitest';
import { createMemoryTier } from '../../../src/cache/memory-tier.ts';
import type { Tier } from '../../../src/cache/tier.ts';
import { createTieredCache } from '../../../src/cache/tiered-cache.ts';
import type { BodyStream } from '../../../src/core/entry.ts';
import { AppError } from '../../../src/errors.ts';
import { bodyOf, entryOf } from '../../fixtures/entries.ts';
import { createLatch } from '../../fixtures/latch.ts';
import { createManualClock } from '../../fixtures/manual-clock.ts';
import { createScriptedTier } from '../../fixtures/scripted-tier.ts';
import { nobody, turn } from '../../fixtures/signals.ts';

const OLD = bodyOf(1, 100);
const NEW = bodyOf(2, 100);

function create(tiers: readonly Tier[], limitBytes = 1_000_000) {
  const clock = createManualClock();
  const memory = createMemoryTier({ limitBytes, limitEntries: 1000 }, clock);
  return { clock, memory, cache: createTieredCache({ memory, tiers }, { clock }) };
}

/** Holds a tier's next call of this kind until the test lets it go on. */
function hold(tier: ReturnType<typeof createScriptedTier>, kind: string) {
  const latch = createLatch();
  tier.before = async (call) => {
    if (call === kind) await latch.opened;
  };
  return { release: latch.open };
}

describe('finding', () => {
  it('asks memory, then the tiers in order, and fills those that did not have it', async () => {
    const [near, far] = [createScriptedTier('disk'), createScriptedTier('redis')];
    const { cache } = create([near, far]);
    far.held.set('image:a', { entry: entryOf('image:a', OLD), body: OLD });
    const found = await cache.find('image:a', nobody);
    expect(found?.body).toBe(OLD);
    expect(found?.steps).toEqual([
      { tier: 'memory', outcome: 'miss', stored: true },
      { tier: 'disk', outcome: 'miss', stored: true },
      { tier: 'redis', outcome: 'hit' },
    ]);
    expect(near.held.has('image:a')).toBe(true);
    const again = await cache.find('image:a', nobody);
    expect(again?.steps).toEqual([{ tier: 'memory', outcome: 'hit' }]);
    expect(cache.peek('image:a')?.body).toBe(OLD);
  });

  it('is undefined where nobody has the key', async () => {
    const { cache } = create([createScriptedTier('disk')]);
    expect(await cache.find('image:none', nobody)).toBeUndefined();
  });

  it('asks a tier once for all who look for a key at a time', async () => {
    const disk = createScriptedTier('disk');
    disk.held.set('image:a', { entry: entryOf('image:a', OLD), body: OLD });
    const { cache } = create([disk]);
    const all = await Promise.all(Array.from({ length: 100 }, async () => cache.find('image:a', nobody)));
    expect(disk.calls).toEqual(['get image:a']);
    expect(all.filter((found) => found?.steps.at(-1)?.collapsed === true)).toHaveLength(99);
    expect(cache.stats()).toMatchObject({ lookups: 100, collapsed: 99, underWay: 0 });
  });

  it('calls a failing tier an error and goes on to the next', async () => {
    const [broken, good] = [createScriptedTier('redis'), createScriptedTier('disk')];
    broken.before = () => {
      throw new Error('down');
    };
    good.held.set('image:a', { entry: entryOf('image:a', OLD), body: OLD });
    const { cache } = create([broken, good]);
    const found = await cache.find('image:a', nobody);
    expect(found?.steps.map(({ tier, outcome }) => `${tier} ${outcome}`)).toEqual([
      'memory miss',
      'redis error',
      'disk hit',
    ]);
  });

  it('does not say that nobody has what a failing tier may have', async () => {
    const [broken, good] = [createScriptedTier('redis'), createScriptedTier('disk')];
    broken.before = () => {
      throw new Error('down');
    };
    const { cache } = create([broken, good]);
    await expect(cache.find('image:a', nobody)).rejects.toMatchObject({ code: 'storage_unavailable' });
    broken.before = () => undefined;
    expect(await cache.find('image:a', nobody)).toBeUndefined();
  });

  it('says that it is busy where a tier needs workers, not that nobody has the key', async () => {
    const redis = createScriptedTier('redis');
    redis.before = () => {
      throw new AppError('overloaded');
    };
    const { cache } = create([redis]);
    await expect(cache.find('image:a', nobody)).rejects.toMatchObject({ code: 'overloaded' });
  });

  it('never takes a streamed body into memory or into another tier', async () => {
    const body: BodyStream = { read: () => [OLD][Symbol.iterator]() as never };
    const [near, far] = [createScriptedTier('disk'), createScriptedTier('redis')];
    far.held.set('image:big', { entry: entryOf('image:big', OLD), body });
    const { cache } = create([near, far]);
    expect((await cache.find('image:big', nobody))?.body).toBe(body);
    expect(cache.peek('image:big')).toBeUndefined();
    expect(near.held.size).toBe(0);
  });

  it('works without a memory tier', async () => {
    const disk = createScriptedTier('disk');
    const cache = createTieredCache({ memory: undefined, tiers: [disk] }, { clock: createManualClock() });
    await cache.put(entryOf('image:a', OLD), OLD, nobody);
    expect(cache.peek('image:a')).toBeUndefined();
    expect((await cache.find('image:a', nobody))?.steps).toEqual([{ tier: 'disk', outcome: 'hit' }]);
    expect(await cache.delete('image:a', nobody)).toBe(true);
  });
});

describe('putting', () => {
  it('keeps in memory and in every tier, and says whether the key was known', async () => {
    const disk = createScriptedTier('disk');
    const { cache, memory } = create([disk]);
    expect(await cache.put(entryOf('image:a', OLD), OLD, nobody)).toEqual({ replaced: false });
    expect(disk.held.has('image:a')).toBe(true);
    memory.clear();
    expect(await cache.put(entryOf('image:a', NEW), NEW, nobody)).toEqual({ replaced: true });
    expect(cache.peek('image:a')?.body).toEqual(NEW);
    expect(cache.has('image:a')).toBe(true);
  });

  it('is content when memory alone keeps it', async () => {
    const disk = createScriptedTier('disk');
    disk.before = () => {
      throw new Error('EROFS');
    };
    const { cache } = create([disk]);
    expect(await cache.put(entryOf('image:a', OLD), OLD, nobody)).toEqual({ replaced: false });
    expect(cache.peek('image:a')?.body).toBe(OLD);
  });

  it('fails when memory alone would keep it, and forgets that, where memory is made to forget', async () => {
    const redis = createScriptedTier('redis');
    const memory = createMemoryTier({ limitBytes: 1_000_000, limitEntries: 100 }, createManualClock());
    const parts = { memory, tiers: [redis], memoryKeepsAlone: false };
    const cache = createTieredCache(parts, { clock: createManualClock() });
    await cache.put(entryOf('image:a', OLD), OLD, nobody);
    redis.keeps = false;
    const attempt = cache.put(entryOf('image:a', NEW), NEW, nobody);
    await expect(attempt).rejects.toMatchObject({ code: 'storage_unavailable' });
    expect(cache.peek('image:a')).toBeUndefined();
    expect((await cache.find('image:a', nobody))?.body).toBe(OLD);
  });

  it('is not content with memory where it must be kept behind it, and leaves what was there', async () => {
    const [disk, redis] = [createScriptedTier('disk'), createScriptedTier('redis')];
    const { cache, memory } = create([disk, redis]);
    await cache.put(entryOf('image:a', OLD), OLD, nobody, 'behind-memory');
    for (const tier of [disk, redis]) tier.keeps = false;
    disk.before = (call) => {
      if (call === 'put') throw new Error('EROFS');
    };
    const attempt = cache.put(entryOf('image:a', NEW), NEW, nobody, 'behind-memory');
    await expect(attempt).rejects.toMatchObject({
      code: 'storage_unavailable',
      detail: 'Nothing was accepted: not taken by disk, redis.',
    });
    expect(cache.peek('image:a')?.body).toBe(OLD);
    memory.clear();
    expect((await cache.find('image:a', nobody))?.body).toBe(OLD);
    redis.keeps = true;
    await cache.put(entryOf('image:a', NEW), NEW, nobody, 'behind-memory');
    expect((await cache.find('image:a', nobody))?.body).toBe(NEW);
  });

  it('keeps in memory what must be kept behind it where there is nothing behind it', async () => {
    const { cache } = create([]);
    await cache.put(entryOf('image:a', OLD), OLD, nobody, 'behind-memory');
    expect(cache.peek('image:a')?.body).toBe(OLD);
  });

  it('fails when nobody keeps it, and leaves what was there', async () => {
    const disk = createScriptedTier('disk');
    const { cache } = create([disk], 100);
    await cache.put(entryOf('image:a', OLD), OLD, nobody);
    disk.keeps = false;
    const attempt = cache.put(entryOf('image:a', NEW), NEW, nobody);
    await expect(attempt).rejects.toMatchObject({ code: 'storage_unavailable' });
    expect((await cache.find('image:a', nobody))?.body).toBe(OLD);
  });

  it('takes the old value out of a tier that did not take the new one', async () => {
    const disk = createScriptedTier('disk');
    const { cache, memory } = create([disk]);
    await cache.put(entryOf('image:a', OLD), OLD, nobody);
    disk.keeps = false;
    await cache.put(entryOf('image:a', NEW), NEW, nobody);
    memory.clear();
    expect(await cache.find('image:a', nobody)).toBeUndefined();
  });

  it('does not read an old value from a tier that was away when the key changed', async () => {
    const redis = createScriptedTier('redis');
    const { cache, memory } = create([redis]);
    await cache.put(entryOf('image:a', OLD), OLD, nobody);
    redis.before = () => {
      throw new Error('down');
    };
    await cache.put(entryOf('image:a', NEW), NEW, nobody);
    memory.clear();
    redis.before = (call) => {
      if (call === 'delete') throw new Error('still down');
    };
    expect(cache.has('image:a')).toBe(false);
    await expect(cache.find('image:a', nobody)).rejects.toMatchObject({ code: 'storage_unavailable' });
    redis.before = () => undefined;
    expect(await cache.find('image:a', nobody)).toBeUndefined();
    expect(redis.held.has('image:a')).toBe(false);
    await cache.put(entryOf('image:a', NEW), NEW, nobody);
    memory.clear();
    expect((await cache.find('image:a', nobody))?.body).toBe(NEW);
  });

  it('carries a change through when its caller leaves in the middle', async () => {
    const disk = createScriptedTier('disk');
    const { cache } = create([disk]);
    await cache.put(entryOf('image:a', OLD), OLD, nobody);
    const { release } = hold(disk, 'put');
    const caller = new AbortController();
    const writing = cache.put(entryOf('image:a', NEW), NEW, caller.signal);
    await turn();
    caller.abort(new Error('left'));
    release();
    await writing;
    expect(disk.held.get('image:a')?.body).toBe(NEW);
    expect(cache.peek('image:a')?.body).toBe(NEW);
  });

  it('lets memory and the tiers agree, whatever order puts and deletes of a key come in', async () => {
    const disk = createScriptedTier('disk');
    // The later the call, the sooner it is done.
    let calls = 0;
    disk.before = async () => {
      calls += 1;
      for (let wait = 20 - calls; wait > 0; wait -= 1) await turn();
    };
    const { cache, memory } = create([disk]);
    const bodies = [OLD, NEW, bodyOf(3, 50), bodyOf(4, 60)];
    await Promise.all([
      ...bodies.map(async (body) => cache.put(entryOf('image:a', body), body, nobody)),
      cache.delete('image:a', nobody),
      cache.put(entryOf('image:a', NEW), NEW, nobody),
    ]);
    expect(memory.peek('image:a')?.entry.version).toBe(disk.held.get('image:a')?.entry.version);
    expect(memory.peek('image:a')?.body).toEqual(NEW);
  });
});

describe('deleting', () => {
  it('removes a key and its renderings everywhere', async () => {
    const disk = createScriptedTier('disk');
    const { cache } = create([disk]);
    await cache.put(entryOf('image:a', OLD), OLD, nobody);
    await cache.put(entryOf('variant:a', NEW, { parent: 'image:a' }), NEW, nobody);
    expect(await cache.delete('image:a', nobody)).toBe(true);
    expect(await cache.delete('image:a', nobody)).toBe(false);
    expect(cache.peek('variant:a')).toBeUndefined();
    expect(disk.held.size).toBe(0);
  });

  it('says of which tier it could not remove a key, and serves it no more', async () => {
    const disk = createScriptedTier('disk');
    const { cache } = create([disk]);
    await cache.put(entryOf('image:a', OLD), OLD, nobody);
    disk.before = (call) => {
      if (call === 'delete') throw new Error('EROFS');
    };
    for (const remove of [cache.delete, cache.clear]) {
      await expect(remove('image:a', nobody)).rejects.toMatchObject({
        code: 'storage_unavailable',
        detail: 'Not served any more, but still kept by: disk.',
      });
      await expect(cache.find('image:a', nobody)).rejects.toMatchObject({ code: 'storage_unavailable' });
    }
    disk.before = () => undefined;
    expect(await cache.delete('image:a', nobody)).toBe(true);
    expect(await cache.find('image:a', nobody)).toBeUndefined();
  });

  it('counts each key once, whether memory, a tier or both had it', async () => {
    const disk = createScriptedTier('disk');
    const { cache, memory } = create([disk]);
    for (const key of ['cache:p:1', 'cache:p:2', 'cache:q']) await cache.put(entryOf(key, OLD), OLD, nobody);
    memory.delete('cache:p:1');
    disk.held.delete('cache:p:2');
    expect(await cache.deleteWhere((key) => key.startsWith('cache:p:'), nobody)).toBe(2);
    expect(memory.keys()).toEqual(['cache:q']);
  });
});
