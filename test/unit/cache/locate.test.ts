import { expect, test } from 'vitest';
import { createMemoryTier } from '../../../src/cache/memory-tier.ts';
import { createTieredCache } from '../../../src/cache/tiered-cache.ts';
import { bodyOf, entryOf } from '../../fixtures/entries.ts';
import { createManualClock } from '../../fixtures/manual-clock.ts';
import { createScriptedTier } from '../../fixtures/scripted-tier.ts';

const KEY = 'image:a';
const NEVER = new AbortController().signal;

function open() {
  const clock = createManualClock();
  const memory = createMemoryTier({ limitBytes: 1024 * 1024, limitEntries: 100 }, clock);
  const tier = createScriptedTier('far');
  const cache = createTieredCache({ memory, tiers: [tier] }, { clock });
  return { memory, tier, cache };
}

test('every tier is asked for itself, and none is filled or counted by it', async () => {
  const { memory, tier, cache } = open();
  const body = bodyOf(1, 100);
  tier.held.set(KEY, { entry: entryOf(KEY, body), body });
  const places = await cache.locate(KEY, NEVER);
  expect(places.map(({ tier: name, entry }) => [name, entry?.bytes])).toEqual([
    ['memory', undefined],
    ['far', 100],
  ]);
  expect(memory.stats()).toMatchObject({ entries: 0, hits: 0, misses: 0 });
  expect(cache.stats().lookups).toBe(0);
});

test('what was made from a key is listed with its size, until it goes', async () => {
  const { cache } = open();
  const [body, small] = [bodyOf(1, 100), bodyOf(2, 30)];
  const entry = entryOf(KEY, body);
  await cache.put(entry, body, NEVER);
  const child = entryOf('variant:x:1:a', small, { parent: KEY, parentVersion: entry.version });
  await cache.put(child, small, NEVER);
  const [memory] = await cache.locate(KEY, NEVER);
  expect(memory?.children).toEqual([{ key: 'variant:x:1:a', bytes: 30 }]);
  await cache.delete(KEY, NEVER);
  const [after] = await cache.locate(KEY, NEVER);
  expect(after?.children).toEqual([]);
});

test('a tier that fails is unsure, not empty', async () => {
  const { tier, cache } = open();
  tier.before = () => {
    throw new Error('away');
  };
  const [, far] = await cache.locate(KEY, NEVER);
  expect(far).toMatchObject({ tier: 'far', entry: undefined, unsure: true });
});

test('a tier in which a deletion failed is not believed to have the key', async () => {
  const { tier, cache } = open();
  const body = bodyOf(1, 100);
  await cache.put(entryOf(KEY, body), body, NEVER);
  tier.before = (call) => {
    if (call === 'delete') throw new Error('away');
  };
  await cache.delete(KEY, NEVER).catch(() => undefined);
  expect(tier.held.has(KEY)).toBe(true);
  const [, far] = await cache.locate(KEY, NEVER);
  expect(far).toMatchObject({ entry: undefined, unsure: true });
});
