import { describe, expect, it } from 'vitest';
import { createMemoryTier } from '../../../src/cache/memory-tier.ts';
import type { Origin, OriginAnswer } from '../../../src/cache/origin.ts';
import { createTieredCache } from '../../../src/cache/tiered-cache.ts';
import type { BodyStream, Entry } from '../../../src/core/entry.ts';
import { AppError } from '../../../src/errors.ts';
import { bodyOf, entryOf } from '../../fixtures/entries.ts';
import { createLatch } from '../../fixtures/latch.ts';
import { createManualClock } from '../../fixtures/manual-clock.ts';
import { createScriptedTier } from '../../fixtures/scripted-tier.ts';
import { nobody, turn } from '../../fixtures/signals.ts';

const OLD = bodyOf(1, 100);
const NEW = bodyOf(2, 100);
const FRESH_MS = 60_000;

type Answer = (known: Entry | undefined) => OriginAnswer | Promise<OriginAnswer>;
const sayMissing: Answer = () => ({ kind: 'missing' });

function create() {
  const clock = createManualClock();
  const calls: string[] = [];
  let answer: Answer = sayMissing;
  const origin: Origin = {
    name: 'azure',
    covers: (key) => key.startsWith('image:'),
    fetch: async (key, known) => {
      calls.push(`fetch ${key}${known === undefined ? '' : ' again'}`);
      return answer(known);
    },
    forget: (key) => void calls.push(`forget ${key}`),
    forgetAll: () => void calls.push('forget all'),
    stats: () => ({
      name: 'azure',
      calls: calls.length,
      spared: 0,
      revalidated: 0,
      missing: 0,
      staleServed: 0,
      errors: 0,
      bytes: 0,
    }),
    close: async () => undefined,
  };
  const disk = createScriptedTier('disk');
  const memory = createMemoryTier({ limitBytes: 1_000_000, limitEntries: 100 }, clock);
  const mark = () => ({
    etag: '"1"',
    freshUntilMs: clock.nowMs() + FRESH_MS,
    staleUntilMs: clock.nowMs() * 2,
  });
  return {
    cache: createTieredCache({ memory, tiers: [disk], origin }, { clock }),
    calls,
    clock,
    disk,
    mark,
    memory,
    origin,
    answerWith: (next: Answer) => {
      answer = next;
    },
    whole: (body: Uint8Array): OriginAnswer => ({
      kind: 'whole',
      entry: entryOf('image:a', body, { origin: mark() }),
      body,
    }),
  };
}

describe('an origin below the tiers', () => {
  it('is asked when no tier has the key, once for all who wait, and fills every tier', async () => {
    const { answerWith, cache, calls, disk, whole } = create();
    answerWith(() => whole(OLD));
    const all = await Promise.all(Array.from({ length: 50 }, async () => cache.find('image:a', nobody)));
    expect(calls).toEqual(['fetch image:a']);
    expect(all[0]?.steps).toEqual([
      { tier: 'memory', outcome: 'miss', stored: true },
      { tier: 'disk', outcome: 'miss', stored: true },
      { tier: 'azure', outcome: 'hit' },
    ]);
    expect(disk.held.get('image:a')?.body).toBe(OLD);
    expect(cache.peek('image:a')?.body).toBe(OLD);
  });

  it('is not asked for keys that it cannot have', async () => {
    const { cache, calls } = create();
    expect(await cache.find('cache:a', nobody)).toBeUndefined();
    expect(calls).toEqual([]);
  });

  it('is asked again when its mark is not fresh any more; unchanged bytes get the new mark', async () => {
    const { answerWith, cache, calls, clock, mark, whole } = create();
    answerWith(() => whole(OLD));
    await cache.find('image:a', nobody);
    clock.advance(FRESH_MS);
    expect(cache.peek('image:a')).toBeUndefined();
    answerWith((known) => {
      if (known === undefined) throw new Error('should be known');
      return { kind: 'unchanged', entry: { ...known, origin: mark() }, stale: false };
    });
    const found = await cache.find('image:a', nobody);
    expect(found?.body).toBe(OLD);
    expect(found?.steps).toEqual([
      { tier: 'memory', outcome: 'stale', stored: true },
      { tier: 'azure', outcome: 'hit' },
    ]);
    expect(cache.peek('image:a')?.body).toBe(OLD);
    expect(calls).toEqual(['fetch image:a', 'fetch image:a again']);
  });

  it('replaces in every tier what it has newer bytes of', async () => {
    const { answerWith, cache, clock, disk, memory, whole } = create();
    answerWith(() => whole(OLD));
    await cache.find('image:a', nobody);
    clock.advance(FRESH_MS);
    memory.clear();
    answerWith(() => whole(NEW));
    const found = await cache.find('image:a', nobody);
    expect(found?.steps[1]).toEqual({ tier: 'disk', outcome: 'stale', stored: true });
    expect(disk.held.get('image:a')?.body).toBe(NEW);
    expect(cache.peek('image:a')?.body).toBe(NEW);
  });

  it('takes out of every tier what is gone there, but nothing that was put meanwhile', async () => {
    const { answerWith, cache, clock, disk, whole } = create();
    answerWith(() => whole(OLD));
    await cache.find('image:a', nobody);
    clock.advance(FRESH_MS);
    answerWith(() => ({ kind: 'missing' }));
    expect(await cache.find('image:a', nobody)).toBeUndefined();
    expect(disk.held.size).toBe(0);

    answerWith(() => whole(OLD));
    await cache.find('image:a', nobody);
    clock.advance(FRESH_MS);
    const latch = createLatch();
    answerWith(async () => latch.opened.then(() => ({ kind: 'missing' }) as const));
    const finding = cache.find('image:a', nobody);
    await turn();
    await cache.put(entryOf('image:a', NEW), NEW, nobody);
    latch.open();
    await finding;
    expect(cache.peek('image:a')?.body).toBe(NEW);
    expect(disk.held.get('image:a')?.body).toBe(NEW);
  });

  it('says so when what is served is stale because it fails', async () => {
    const { answerWith, cache, clock, mark, whole } = create();
    answerWith(() => whole(OLD));
    await cache.find('image:a', nobody);
    clock.advance(FRESH_MS);
    const entry = entryOf('image:a', OLD, { origin: mark() });
    answerWith(() => ({ kind: 'unchanged', entry, stale: true }));
    const found = await cache.find('image:a', nobody);
    expect(found?.steps.at(-1)).toEqual({ tier: 'azure', outcome: 'stale' });
  });

  it('tells its failure to who asked where nothing stale may be served', async () => {
    const { answerWith, cache } = create();
    answerWith(() => {
      throw new AppError('origin_timeout');
    });
    await expect(cache.find('image:a', nobody)).rejects.toMatchObject({ code: 'origin_timeout' });
  });

  it('passes a large body on, and lets go of the older one that the tiers had', async () => {
    const { answerWith, cache, clock, disk, mark, whole } = create();
    answerWith(() => whole(OLD));
    await cache.find('image:a', nobody);
    clock.advance(FRESH_MS);
    const body: BodyStream = { read: () => [NEW][Symbol.iterator]() as never };
    const entry = entryOf('image:a', NEW, { origin: mark(), undigested: true });
    answerWith(() => ({ kind: 'large', entry, body }));
    expect((await cache.find('image:a', nobody))?.body).toBe(body);
    expect(disk.held.size).toBe(0);
    expect(cache.peek('image:a')).toBeUndefined();
  });

  it('is told what was put, deleted and invalidated here', async () => {
    const { cache, calls } = create();
    await cache.put(entryOf('image:a', OLD), OLD, nobody);
    await cache.delete('image:a', nobody);
    cache.invalidate('image:b');
    cache.invalidateAll();
    await cache.put(entryOf('cache:x', OLD), OLD, nobody);
    expect(calls).toEqual(['forget image:a', 'forget image:a', 'forget image:b', 'forget all']);
  });

  it('gets writes and deletions first where they go through, and nothing is kept when it refuses', async () => {
    const { cache, disk, mark, origin } = create();
    origin.put = async (entry) => ({ ...entry, origin: mark() });
    origin.delete = async () => true;
    await cache.put(entryOf('image:a', OLD), OLD, nobody);
    expect(disk.held.get('image:a')?.entry.origin?.etag).toBe('"1"');
    await cache.delete('image:a', nobody);
    expect(await cache.delete('image:a', nobody)).toBe(true);
    origin.put = async () => {
      throw new AppError('origin_failed');
    };
    const attempt = cache.put(entryOf('image:a', NEW), NEW, nobody);
    await expect(attempt).rejects.toMatchObject({ code: 'origin_failed' });
    expect([disk.held.size, cache.peek('image:a')]).toEqual([0, undefined]);
  });
});

describe('clearing a cache over an origin that is written through', () => {
  it('never deletes there: not one key, not by pattern while the key is being written', async () => {
    const { cache, calls, origin } = create();
    const latch = createLatch();
    const through: Pick<Origin, 'put' | 'delete'> = {
      put: async (entry) => latch.opened.then(() => entry),
      delete: async (key) => calls.push(`delete ${key}`) > 0,
    };
    Object.assign(origin, through);
    const put = cache.put(entryOf('image:a', NEW), NEW, nobody);
    await turn();
    const clearing = cache.deleteWhere((key) => key === 'image:a', nobody);
    latch.open();
    await Promise.all([put, clearing]);
    await cache.clear('image:a', nobody);
    expect(calls.filter((call) => call.startsWith('delete'))).toEqual([]);
    await cache.delete('image:a', nobody);
    expect(calls).toContain('delete image:a');
  });
});
