import { beforeEach, describe, expect, it } from 'vitest';
import { isWhole } from '../../../src/core/entry.ts';
import { AppError } from '../../../src/errors.ts';
import { createFallbackTier, type FallbackTier } from '../../../src/redis/fallback-tier.ts';
import { bodyOf, entryOf } from '../../fixtures/entries.ts';
import { createManualClock, type ManualClock } from '../../fixtures/manual-clock.ts';
import { createScriptedTier, type ScriptedTier } from '../../fixtures/scripted-tier.ts';
import { nobody } from '../../fixtures/signals.ts';

let redis: ScriptedTier;
let disk: ScriptedTier;
let clock: ManualClock;
let tier: FallbackTier;
let said: string[];
let isFull: boolean;
const [first, second] = [bodyOf(1, 10), bodyOf(2, 10)];

beforeEach(() => {
  redis = createScriptedTier('redis');
  disk = createScriptedTier('disk');
  clock = createManualClock();
  said = [];
  isFull = false;
  tier = createFallbackTier(redis, disk, {
    clock,
    steady: clock,
    onSwitch: (to, reason) => said.push(`${to} ${reason}`),
    isFull: () => isFull,
  });
});

function away(): void {
  redis.before = () => {
    throw new AppError('storage_unavailable', 'away');
  };
}

function back(): void {
  redis.before = () => undefined;
}

async function put(key: string, body: Uint8Array): Promise<void> {
  clock.advance(1);
  await tier.put(entryOf(key, body, { storedAtMs: clock.nowMs() }), body, nobody);
}

async function read(key: string): Promise<Uint8Array | undefined> {
  const stored = await tier.get(key, nobody);
  return stored !== undefined && isWhole(stored.body) ? stored.body : undefined;
}

/** Until the outage is one. */
async function fail(times: number): Promise<void> {
  for (let n = 0; n < times; n += 1) await read('image:none').catch(() => undefined);
}

describe('what ran out while the primary was away', () => {
  async function putForAWhile(key: string, body: Uint8Array): Promise<void> {
    clock.advance(1);
    await tier.put(entryOf(key, body, { storedAtMs: clock.nowMs() }), body, nobody);
    // As its ttl would have it.
    disk.held.delete(key);
  }

  it('does not bring back what it had replaced', async () => {
    await put('image:a', first);
    away();
    await fail(5);
    await putForAWhile('image:a', second);
    back();
    await tier.catchUp();
    expect(await read('image:a')).toBeUndefined();
    expect(redis.held.has('image:a')).toBe(false);
  });

  it('leaves alone what another program has put since', async () => {
    await put('image:a', first);
    away();
    await fail(5);
    await putForAWhile('image:a', second);
    back();
    const theirs = bodyOf(3, 10);
    clock.advance(1);
    redis.held.set('image:a', {
      entry: entryOf('image:a', theirs, { storedAtMs: clock.nowMs() }),
      body: theirs,
    });
    await tier.catchUp();
    expect(await read('image:a')).toEqual(theirs);
  });
});

describe('a tier with a fallback', () => {
  it('uses the primary alone while that works', async () => {
    await put('image:a', first);
    expect(await read('image:a')).toEqual(first);
    expect(disk.calls).toEqual([]);
    expect(said).toEqual(['primary ']);
    expect(tier.name).toBe('redis');
  });

  it('starts on the fallback, with all that it inherited, when the primary was never there', async () => {
    away();
    disk.held.set('image:old', { entry: entryOf('image:old', first, { storedAtMs: 5 }), body: first });
    expect(await read('image:old')).toEqual(first);
    await put('image:a', second);
    expect(await read('image:a')).toEqual(second);
    expect(said).toEqual(['fallback storage_unavailable: away']);
    expect(tier.name).toBe('disk');
    expect(tier.isOnFallback()).toBe(true);
  });

  it('takes one failure for a miss, and three in a row for an outage', async () => {
    await put('image:a', first);
    away();
    await fail(2);
    expect(tier.isOnFallback()).toBe(false);
    await fail(1);
    expect(tier.isOnFallback()).toBe(true);
    back();
    expect(await read('image:a')).toEqual(first);
    expect(said).toEqual(['primary ', 'fallback storage_unavailable: away', 'primary ']);
  });

  it('does not serve what the fallback kept from before the primary was last there', async () => {
    away();
    await put('image:a', first);
    back();
    await put('image:a', second);
    await tier.catchUp();
    disk.held.set('image:a', { entry: entryOf('image:a', first, { storedAtMs: 1 }), body: first });
    away();
    await fail(3);
    await expect(read('image:a')).rejects.toMatchObject({ code: 'storage_unavailable' });
  });

  it('does not say of what only the primary may have that it is not there', async () => {
    await put('image:a', first);
    away();
    for (let n = 0; n < 5; n += 1)
      await expect(read('image:a')).rejects.toMatchObject({ code: 'storage_unavailable' });
    back();
    expect(await read('image:a')).toEqual(first);
  });

  it('keeps in the fallback what the primary has no room for, and brings it over when it has', async () => {
    await put('image:a', first);
    [isFull, redis.keeps] = [true, false];
    await put('image:a', second);
    await put('image:b', second);
    expect(redis.held.size).toBe(0);
    expect([await read('image:a'), await read('image:b')]).toEqual([second, second]);
    expect(tier.isOnFallback()).toBe(false);
    [isFull, redis.keeps] = [false, true];
    clock.advance(1000);
    await tier.catchUp();
    expect([...redis.held.keys()]).toEqual(['image:a', 'image:b']);
    expect(disk.held.size).toBe(0);
    expect([await read('image:a'), await read('image:b')]).toEqual([second, second]);
  });

  it('leaves out what the primary refuses for what it is', async () => {
    redis.keeps = false;
    expect(await tier.put(entryOf('image:a', first), first, nobody)).toBe(false);
    expect(disk.calls).toEqual([]);
  });

  it('gives the value that is owed while a newer one is on its way', async () => {
    await put('image:a', first);
    redis.before = (call) => {
      if (call === 'put') throw new Error('READONLY');
    };
    await put('image:a', second);
    let readMeanwhile: Uint8Array | undefined;
    redis.before = async (call) => {
      if (call !== 'put') return;
      readMeanwhile = await read('image:a');
      throw new Error('READONLY');
    };
    await put('image:a', bodyOf(3, 10));
    expect(readMeanwhile).toEqual(second);
    expect(await read('image:a')).toEqual(bodyOf(3, 10));
  });

  it('finds what is brought over while it is looked for', async () => {
    away();
    await put('image:a', first);
    back();
    redis.before = async (call) => {
      if (call !== 'get') return;
      // It had looked, and found nothing.
      redis.before = () => undefined;
      await tier.catchUp();
    };
    expect(await read('image:a')).toEqual(first);
    expect(disk.held.size).toBe(0);
  });

  it('finds what was put, and brought over, all while it was looked for', async () => {
    redis.before = async (call) => {
      if (call !== 'get') return;
      away();
      await put('image:a', first);
      const { get } = disk;
      disk.get = async (key, signal) => {
        disk.get = get;
        back();
        await tier.catchUp();
        return get(key, signal);
      };
      throw new AppError('storage_unavailable');
    };
    expect(await read('image:a')).toEqual(first);
  });

  it('gives no older value that it had asked for before the newer one was brought over', async () => {
    await put('image:a', first);
    away();
    await put('image:a', second);
    redis.before = async (call) => {
      if (call !== 'get') return;
      redis.before = () => undefined;
      await tier.catchUp();
    };
    expect(await read('image:a')).toEqual(second);
  });

  it('brings what was put meanwhile into the primary, and then out of the fallback', async () => {
    away();
    await put('image:a', first);
    await put('image:b', second);
    back();
    expect(await read('image:a')).toEqual(first);
    await tier.catchUp();
    expect([...redis.held.keys()]).toEqual(['image:a', 'image:b']);
    expect(disk.held.size).toBe(0);
    expect(tier.stats()).toMatchObject({ name: 'redis', owed: 0 });
  });

  it('does not overwrite what is newer in the primary', async () => {
    away();
    await put('image:a', first);
    back();
    clock.advance(1000);
    redis.held.set('image:a', {
      entry: entryOf('image:a', second, { storedAtMs: clock.nowMs() }),
      body: second,
    });
    await tier.catchUp();
    expect(await read('image:a')).toEqual(second);
  });

  it('deletes in the primary what was deleted meanwhile, and gives it no more before that', async () => {
    await put('image:a', first);
    away();
    await fail(3);
    expect(await tier.delete('image:a', nobody)).toBe(true);
    // Still owed: the primary answers again, but cannot delete.
    redis.before = (call) => {
      if (call === 'delete') throw new Error('not yet');
    };
    expect(await read('image:a')).toBeUndefined();
    await tier.catchUp();
    expect(await read('image:a')).toBeUndefined();
    back();
    await tier.catchUp();
    expect(redis.held.size).toBe(0);
  });

  it('clears in the primary what was cleared meanwhile, but not what was put after that', async () => {
    await put('cache:p:1', first);
    await put('cache:q:1', first);
    away();
    await fail(3);
    await put('cache:p:2', second);
    expect(await tier.deleteWhere((key) => key.startsWith('cache:p:'), nobody)).toBe(1);
    await put('cache:p:3', second);
    back();
    expect(await read('cache:p:1')).toBeUndefined();
    await tier.catchUp();
    expect([...redis.held.keys()].toSorted()).toEqual(['cache:p:3', 'cache:q:1']);
  });

  it('never overtakes a new value with one that is still owed', async () => {
    away();
    await put('image:a', first);
    redis.before = async (call, key) => {
      // The new value is sent while the old one is about to be.
      if (call === 'get' && key === 'image:a' && redis.held.size === 0) {
        redis.before = () => undefined;
        await put('image:a', second);
      }
    };
    await tier.catchUp();
    expect(await read('image:a')).toEqual(second);
  });

  it('is not away because workers are busy or a caller left', async () => {
    await put('image:a', first);
    redis.before = () => {
      throw new AppError('overloaded');
    };
    for (let n = 0; n < 5; n += 1) await expect(read('image:a')).rejects.toThrow('overloaded');
    const left = AbortSignal.abort(new Error('left'));
    redis.before = () => left.throwIfAborted();
    for (let n = 0; n < 5; n += 1) await expect(tier.get('image:a', left)).rejects.toThrow('left');
    expect(tier.isOnFallback()).toBe(false);
  });

  it('remembers a bounded number of changes', async () => {
    away();
    for (let n = 0; n < 10_050; n += 1) await put(`cache:${n}`, first);
    for (let n = 0; n < 150; n += 1) await tier.deleteWhere((key) => key === `cache:${n}`, nobody);
    expect(tier.stats().owed).toBeLessThanOrEqual(10_100);
  });
});
