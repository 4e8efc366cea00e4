import { beforeEach, describe, expect, it } from 'vitest';
import { AppError } from '../../../src/errors.ts';
import { bodyOf, entryOf } from '../../fixtures/entries.ts';
import { openFallbackBench, type FallbackBench } from '../../fixtures/fallback-bench.ts';
import { nobody } from '../../fixtures/signals.ts';

let bench: FallbackBench;
const [first, second] = [bodyOf(1, 10), bodyOf(2, 10)];

beforeEach(() => {
  bench = openFallbackBench();
});

describe('a tier with a fallback', () => {
  it('uses the primary alone while that works', async () => {
    await bench.put('image:a', first);
    expect(await bench.read('image:a')).toEqual(first);
    expect(bench.disk.calls).toEqual([]);
    expect(bench.said).toEqual(['primary ']);
    expect(bench.tier.name).toBe('redis');
  });

  it('starts on the fallback, with all that it inherited, when the primary was never there', async () => {
    bench.away();
    bench.disk.held.set('image:old', { entry: entryOf('image:old', first, { storedAtMs: 5 }), body: first });
    expect(await bench.read('image:old')).toEqual(first);
    await bench.put('image:a', second);
    expect(await bench.read('image:a')).toEqual(second);
    expect(bench.said).toEqual(['fallback storage_unavailable: away']);
    expect(bench.tier.name).toBe('disk');
    expect(bench.tier.isOnFallback()).toBe(true);
  });

  it('takes one failure for a miss, and three in a row for an outage', async () => {
    await bench.put('image:a', first);
    bench.away();
    await bench.fail(2);
    expect(bench.tier.isOnFallback()).toBe(false);
    await bench.fail(1);
    expect(bench.tier.isOnFallback()).toBe(true);
    bench.back();
    expect(await bench.read('image:a')).toEqual(first);
    expect(bench.said).toEqual(['primary ', 'fallback storage_unavailable: away', 'primary ']);
  });

  it('does not serve what the fallback kept from before the primary was last there', async () => {
    bench.away();
    await bench.put('image:a', first);
    bench.back();
    await bench.put('image:a', second);
    await bench.tier.catchUp();
    bench.disk.held.set('image:a', { entry: entryOf('image:a', first, { storedAtMs: 1 }), body: first });
    bench.away();
    await bench.fail(3);
    await expect(bench.read('image:a')).rejects.toMatchObject({ code: 'storage_unavailable' });
  });

  it('does not say of what only the primary may have that it is not there', async () => {
    await bench.put('image:a', first);
    bench.away();
    for (let n = 0; n < 5; n += 1)
      await expect(bench.read('image:a')).rejects.toMatchObject({ code: 'storage_unavailable' });
    bench.back();
    expect(await bench.read('image:a')).toEqual(first);
  });

  it('keeps in the fallback what the primary has no room for, and brings it over when it has', async () => {
    await bench.put('image:a', first);
    [bench.isFull, bench.redis.keeps] = [true, false];
    await bench.put('image:a', second);
    await bench.put('image:b', second);
    expect(bench.redis.held.size).toBe(0);
    expect([await bench.read('image:a'), await bench.read('image:b')]).toEqual([second, second]);
    expect(bench.tier.isOnFallback()).toBe(false);
    [bench.isFull, bench.redis.keeps] = [false, true];
    bench.clock.advance(1000);
    await bench.tier.catchUp();
    expect([...bench.redis.held.keys()]).toEqual(['image:a', 'image:b']);
    expect(bench.disk.held.size).toBe(0);
    expect([await bench.read('image:a'), await bench.read('image:b')]).toEqual([second, second]);
  });

  it('leaves out what the primary refuses for what it is', async () => {
    bench.redis.keeps = false;
    expect(await bench.tier.put(entryOf('image:a', first), first, nobody)).toBe(false);
    expect(bench.disk.calls).toEqual([]);
  });

  it('gives the value that is owed while a newer one is on its way', async () => {
    await bench.put('image:a', first);
    bench.redis.before = (call) => {
      if (call === 'put') throw new Error('READONLY');
    };
    await bench.put('image:a', second);
    let readMeanwhile: Uint8Array | undefined;
    bench.redis.before = async (call) => {
      if (call !== 'put') return;
      readMeanwhile = await bench.read('image:a');
      throw new Error('READONLY');
    };
    await bench.put('image:a', bodyOf(3, 10));
    expect(readMeanwhile).toEqual(second);
    expect(await bench.read('image:a')).toEqual(bodyOf(3, 10));
  });

  it('finds what is brought over while it is looked for', async () => {
    bench.away();
    await bench.put('image:a', first);
    bench.back();
    bench.redis.before = async (call) => {
      if (call !== 'get') return;
      // It had looked, and found nothing.
      bench.redis.before = () => undefined;
      await bench.tier.catchUp();
    };
    expect(await bench.read('image:a')).toEqual(first);
    expect(bench.disk.held.size).toBe(0);
  });

  it('finds what was put, and brought over, all while it was looked for', async () => {
    bench.redis.before = async (call) => {
      if (call !== 'get') return;
      bench.away();
      await bench.put('image:a', first);
      const { get } = bench.disk;
      bench.disk.get = async (key, signal) => {
        bench.disk.get = get;
        bench.back();
        await bench.tier.catchUp();
        return get(key, signal);
      };
      throw new AppError('storage_unavailable');
    };
    expect(await bench.read('image:a')).toEqual(first);
  });

  it('gives no older value that it had asked for before the newer one was brought over', async () => {
    await bench.put('image:a', first);
    bench.away();
    await bench.put('image:a', second);
    bench.redis.before = async (call) => {
      if (call !== 'get') return;
      bench.redis.before = () => undefined;
      await bench.tier.catchUp();
    };
    expect(await bench.read('image:a')).toEqual(second);
  });

  it('brings what was put meanwhile into the primary, and then out of the fallback', async () => {
    bench.away();
    await bench.put('image:a', first);
    await bench.put('image:b', second);
    bench.back();
    expect(await bench.read('image:a')).toEqual(first);
    await bench.tier.catchUp();
    expect([...bench.redis.held.keys()]).toEqual(['image:a', 'image:b']);
    expect(bench.disk.held.size).toBe(0);
    expect(bench.tier.stats()).toMatchObject({ name: 'redis', owed: 0 });
  });

  it('does not overwrite what is newer in the primary', async () => {
    bench.away();
    await bench.put('image:a', first);
    bench.back();
    bench.clock.advance(1000);
    bench.redis.held.set('image:a', {
      entry: entryOf('image:a', second, { storedAtMs: bench.clock.nowMs() }),
      body: second,
    });
    await bench.tier.catchUp();
    expect(await bench.read('image:a')).toEqual(second);
  });

  it('deletes in the primary what was deleted meanwhile, and gives it no more before that', async () => {
    await bench.put('image:a', first);
    bench.away();
    await bench.fail(3);
    expect(await bench.tier.delete('image:a', nobody)).toBe(true);
    // Still owed: the primary answers again, but cannot delete.
    bench.redis.before = (call) => {
      if (call === 'delete') throw new Error('not yet');
    };
    expect(await bench.read('image:a')).toBeUndefined();
    await bench.tier.catchUp();
    expect(await bench.read('image:a')).toBeUndefined();
    bench.back();
    await bench.tier.catchUp();
    expect(bench.redis.held.size).toBe(0);
  });

  it('clears in the primary what was cleared meanwhile, but not what was put after that', async () => {
    await bench.put('cache:p:1', first);
    await bench.put('cache:q:1', first);
    bench.away();
    await bench.fail(3);
    await bench.put('cache:p:2', second);
    expect(await bench.tier.deleteWhere((key) => key.startsWith('cache:p:'), nobody)).toBe(1);
    await bench.put('cache:p:3', second);
    bench.back();
    expect(await bench.read('cache:p:1')).toBeUndefined();
    await bench.tier.catchUp();
    expect([...bench.redis.held.keys()].toSorted()).toEqual(['cache:p:3', 'cache:q:1']);
  });

  it('never overtakes a new value with one that is still owed', async () => {
    bench.away();
    await bench.put('image:a', first);
    bench.redis.before = async (call, key) => {
      // The new value is sent while the old one is about to be.
      if (call === 'get' && key === 'image:a' && bench.redis.held.size === 0) {
        bench.redis.before = () => undefined;
        await bench.put('image:a', second);
      }
    };
    await bench.tier.catchUp();
    expect(await bench.read('image:a')).toEqual(second);
  });

  it('is not away because workers are busy or a caller left', async () => {
    await bench.put('image:a', first);
    bench.redis.before = () => {
      throw new AppError('overloaded');
    };
    for (let n = 0; n < 5; n += 1) await expect(bench.read('image:a')).rejects.toThrow('overloaded');
    const left = AbortSignal.abort(new Error('left'));
    bench.redis.before = () => left.throwIfAborted();
    for (let n = 0; n < 5; n += 1) await expect(bench.tier.get('image:a', left)).rejects.toThrow('left');
    expect(bench.tier.isOnFallback()).toBe(false);
  });

  it('remembers a bounded number of changes', async () => {
    bench.away();
    for (let n = 0; n < 10_050; n += 1) await bench.put(`cache:${n}`, first);
    for (let n = 0; n < 150; n += 1) await bench.tier.deleteWhere((key) => key === `cache:${n}`, nobody);
    expect(bench.tier.stats().owed).toBeLessThanOrEqual(10_100);
  });
});
