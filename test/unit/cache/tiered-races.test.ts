import { describe, expect, it } from 'vitest';
import { createMemoryTier } from '../../../src/cache/memory-tier.ts';
import type { Tier } from '../../../src/cache/tier.ts';
import { createTieredCache, type TieredCache } from '../../../src/cache/tiered-cache.ts';
import { bodyOf, entryOf } from '../../fixtures/entries.ts';
import { createLatch } from '../../fixtures/latch.ts';
import { createManualClock } from '../../fixtures/manual-clock.ts';
import { createScriptedTier, type ScriptedTier } from '../../fixtures/scripted-tier.ts';
import { nobody, turn } from '../../fixtures/signals.ts';

const OLD = bodyOf(1, 100);
const NEW = bodyOf(2, 100);
const oldEntry = entryOf('image:a', OLD);
const newEntry = entryOf('image:a', NEW);

function create(tiers: readonly Tier[]) {
  const clock = createManualClock();
  const memory = createMemoryTier({ limitBytes: 1_000_000, limitEntries: 1000 }, clock);
  return { memory, cache: createTieredCache({ memory, tiers }, { clock }) };
}

function createOldTier(name: string): ScriptedTier {
  const tier = createScriptedTier(name);
  tier.held.set('image:a', { entry: oldEntry, body: OLD });
  return tier;
}

/** Holds the tier's calls of these kinds, each until the test lets that kind go on. */
function hold<const K extends string>(tier: ScriptedTier, ...kinds: K[]): Record<K, () => void> {
  const latches = new Map<string, ReturnType<typeof createLatch>>(kinds.map((kind) => [kind, createLatch()]));
  tier.before = async (call) => latches.get(call)?.opened;
  const openers = kinds.map((kind) => [kind, () => latches.get(kind)?.open()] as const);
  // Built from the kinds themselves, so each of them is there.
  return Object.fromEntries(openers) as Record<K, () => void>;
}

const CHANGES: [string, (cache: TieredCache) => unknown][] = [
  ['a put', async (cache) => cache.put(newEntry, NEW, nobody)],
  ['a delete', async (cache) => cache.delete('image:a', nobody)],
  ['an invalidation', (cache) => cache.invalidate('image:a')],
  ['an invalidation of all', (cache) => cache.invalidateAll()],
  ['a deletion by test', async (cache) => cache.deleteWhere(() => true, nobody)],
];

describe.each(CHANGES)('a read that is under way during %s', (_name, change) => {
  it('gives what it read, and does not bring it into memory', async () => {
    const disk = createOldTier('disk');
    const { cache, memory } = create([disk]);
    const release = hold(disk, 'get');
    const reading = cache.find('image:a', nobody);
    await turn();
    await change(cache);
    release.get();
    expect((await reading)?.body).toBe(OLD);
    expect(memory.peek('image:a')?.body).not.toBe(OLD);
  });

  it('does not bring it into a faster tier either', async () => {
    const [near, far] = [createScriptedTier('disk'), createOldTier('redis')];
    const { cache } = create([near, far]);
    const release = hold(far, 'get');
    const reading = cache.find('image:a', nobody);
    await turn();
    await change(cache);
    release.get();
    await reading;
    expect(near.held.get('image:a')?.body).not.toBe(OLD);
  });
});

describe('a read that begins while its key is being written', () => {
  it('may bring the old bytes, but never after the new ones', async () => {
    const disk = createOldTier('disk');
    const { cache, memory } = create([disk]);
    const release = hold(disk, 'put', 'get');
    const writing = cache.put(newEntry, NEW, nobody);
    await turn();
    const reading = cache.find('image:a', nobody);
    await turn();
    release.put();
    await writing;
    release.get();
    expect((await reading)?.body).toBe(OLD);
    expect(memory.peek('image:a')?.body).toBe(NEW);
  });

  it('is replaced in memory by what was written when it was the quicker one', async () => {
    const disk = createOldTier('disk');
    const { cache, memory } = create([disk]);
    const release = hold(disk, 'put');
    const writing = cache.put(newEntry, NEW, nobody);
    await turn();
    await cache.find('image:a', nobody);
    release.put();
    await writing;
    expect(memory.peek('image:a')?.body).toBe(NEW);
  });
});

describe('a read that begins while its key is being deleted', () => {
  it.each([['quicker'], ['slower']])('leaves nothing in memory, were it the %s one', async (pace) => {
    const disk = createOldTier('disk');
    const { cache, memory } = create([disk]);
    const release = hold(disk, 'delete', 'get');
    const deleting = cache.delete('image:a', nobody);
    await turn();
    const reading = cache.find('image:a', nobody);
    await turn();
    if (pace === 'quicker') {
      release.get();
      await reading;
    }
    release.delete();
    await deleting;
    release.get();
    await reading;
    expect(memory.peek('image:a')).toBeUndefined();
  });
});

it('a rendering that is being read when its original is deleted does not come back', async () => {
  const disk = createScriptedTier('disk');
  disk.held.set('variant:a', { entry: entryOf('variant:a', OLD, { parent: 'image:a' }), body: OLD });
  const { cache, memory } = create([disk]);
  const release = hold(disk, 'get');
  const reading = cache.find('variant:a', nobody);
  await turn();
  await cache.delete('image:a', nobody);
  release.get();
  expect(await reading).toBeDefined();
  expect(memory.peek('variant:a')).toBeUndefined();
});

it('who asks after a change gets a lookup of their own, not that of before', async () => {
  const disk = createOldTier('disk');
  const { cache, memory } = create([disk]);
  const release = hold(disk, 'get');
  const before = cache.find('image:a', nobody);
  await turn();
  await cache.put(newEntry, NEW, nobody);
  memory.clear();
  const after = cache.find('image:a', nobody);
  await turn();
  release.get();
  await before;
  expect((await after)?.body).toBe(NEW);
});

it('a deletion by test that meets a put leaves the tiers agreeing', async () => {
  const [near, far] = [createScriptedTier('disk'), createScriptedTier('redis')];
  const { cache, memory } = create([near, far]);
  const release = hold(far, 'put');
  const writing = cache.put(newEntry, NEW, nobody);
  await turn();
  expect(near.held.has('image:a')).toBe(true);
  const clearing = cache.deleteWhere(() => true, nobody);
  for (let wait = 0; wait < 10; wait += 1) await turn();
  release.put();
  await Promise.all([writing, clearing]);
  expect([memory.peek('image:a'), near.held.size, far.held.size]).toEqual([undefined, 0, 0]);
});
