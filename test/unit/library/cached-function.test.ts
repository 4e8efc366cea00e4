import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createCache, type ValueCache } from '../../../src/library/create-cache.ts';
import { cacheResult } from '../../../src/library/default-cache.ts';
import { createLatch } from '../../fixtures/latch.ts';

let cache: ValueCache;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: 1_000_000 });
  cache = createCache();
});
afterEach(async () => {
  await cache.close();
  vi.useRealTimers();
});

/** Says how often it was called, in an object that callers may change. */
function countingAreas() {
  let calls = 0;
  return async (type: string) => {
    calls += 1;
    return { type, calls, list: ['a'] };
  };
}

describe('a cached function', () => {
  it('is called once for each set of arguments, until the time of the result is over', async () => {
    const areas = cache.cacheResult(countingAreas(), { prefix: 'areas', ttl: 60 });
    expect(await areas('buy')).toMatchObject({ type: 'buy', calls: 1 });
    expect(await areas('rent')).toMatchObject({ type: 'rent', calls: 2 });
    vi.advanceTimersByTime(59_999);
    expect(await areas('buy')).toMatchObject({ type: 'buy', calls: 1 });
    vi.advanceTimersByTime(1);
    expect(await areas('buy')).toMatchObject({ type: 'buy', calls: 3 });
    expect(cache.stats()).toMatchObject({ hits: 1, misses: 3, unkept: 0 });
  });

  it('is called once for many who call at once, and each gets a copy of their own', async () => {
    const latch = createLatch();
    let calls = 0;
    const slow = cache.cacheResult(
      async (id: number) => {
        calls += 1;
        await latch.opened;
        return { id, list: ['a'] };
      },
      { prefix: 'slow', ttl: 60 },
    );
    const asked = Array.from({ length: 50 }, async () => slow(7));
    latch.open();
    const results = await Promise.all(asked);
    results[0]?.list.push('changed by one');
    expect(results[1]).toEqual({ id: 7, list: ['a'] });
    expect(await slow(7)).toEqual({ id: 7, list: ['a'] });
    expect([calls, cache.stats().collapsed]).toEqual([1, 49]);
  });

  it('fails for all who wait when it fails, and is called again by the next', async () => {
    let calls = 0;
    const shaky = cache.cacheResult(
      async () => {
        calls += 1;
        if (calls === 1) throw new Error('database is away');
        return 'well';
      },
      { prefix: 'shaky', ttl: 60 },
    );
    const asked = await Promise.allSettled([shaky(), shaky()]);
    expect(asked.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await shaky()).toBe('well');
    expect(calls).toBe(2);
  });

  it('may be named by a key of its own, and forgotten by its prefix', async () => {
    const byUser = cache.cacheResult(async (user: { id: number; at: Date }) => user.at.getTime(), {
      prefix: 'user',
      ttl: 60,
      key: ({ id }) => String(id),
    });
    expect(await byUser({ id: 1, at: new Date(5) })).toBe(5);
    expect(await byUser({ id: 1, at: new Date(6) })).toBe(5);
    expect(await cache.clear('user:*')).toBe(1);
    expect(await byUser({ id: 1, at: new Date(7) })).toBe(7);
  });

  it('keeps null, but not undefined, and gives back what cannot be kept', async () => {
    const results = [null, undefined, () => 'a function', new Date(3)];
    const calls: number[] = [];
    const give = async (index: number) => {
      calls.push(index);
      return results[index];
    };
    const kept = cache.cacheResult(give, { prefix: 'give', ttl: 60 });
    for (const index of [0, 1, 2, 3]) {
      expect(await kept(index)).toBe(results[index]);
      expect(await kept(index)).toEqual(results[index]);
    }
    expect(calls).toEqual([0, 1, 1, 2, 2, 3]);
  });

  it('is called uncached where its arguments name nothing', async () => {
    const call = (callback: () => number) => callback();
    const kept = cache.cacheResult(call, { prefix: 'call', ttl: 60 });
    expect([await kept(() => 1), await kept(() => 2)]).toEqual([1, 2]);
    expect(cache.stats().unkept).toBe(2);
  });

  it('shares a cache of the process where none is given', async () => {
    const areas = cacheResult(countingAreas(), { prefix: 'shared', ttl: 60 });
    expect(await areas('buy')).toEqual(await areas('buy'));
  });

  it('has a time above zero', () => {
    expect(() => cache.cacheResult(async () => 1, { prefix: 'x', ttl: 0 })).toThrow(RangeError);
  });

  it('goes on uncached when its cache is closed', async () => {
    const areas = cache.cacheResult(countingAreas(), { prefix: 'areas', ttl: 60 });
    await areas('buy');
    await cache.close();
    expect(await areas('buy')).toMatchObject({ calls: 2 });
  });
});

describe('values by key', () => {
  it('are there until they are deleted or their time is over', async () => {
    await cache.set('a', { n: 1 });
    await cache.set('b', 'x', { ttl: 0.5 });
    expect(await cache.get('a')).toEqual({ n: 1 });
    vi.advanceTimersByTime(499);
    expect(await cache.get('b')).toBe('x');
    vi.advanceTimersByTime(1);
    expect(await cache.get('b')).toBeUndefined();
    expect(await cache.delete('a')).toBe(true);
    expect(await cache.delete('a')).toBe(false);
    expect(await cache.get('a')).toBeUndefined();
  });

  it('that cannot be kept are told to be so', async () => {
    expect(await cache.set('f', () => 1)).toBe(false);
    expect(await cache.set('u', undefined)).toBe(false);
    expect(await cache.set('t', 1, { ttl: -1 })).toBe(false);
    expect(cache.stats().unkept).toBe(3);
  });
});
