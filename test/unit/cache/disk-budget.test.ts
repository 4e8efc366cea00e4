import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDiskBench, type DiskBench } from '../../fixtures/disk-folder.ts';
import { bodyOf, entryOf } from '../../fixtures/entries.ts';
import { createManualClock, type ManualClock } from '../../fixtures/manual-clock.ts';
import { nobody } from '../../fixtures/signals.ts';

const BLOCK = 4096;
let bench: DiskBench;
let clock: ManualClock;
let hot: Set<string>;

beforeEach(async () => {
  clock = createManualClock();
  hot = new Set();
  bench = await createDiskBench({ clock, isHot: (key) => hot.has(key) });
});
afterEach(async () => bench.dispose());

describe('the budget of the disk tier', () => {
  it('counts whole blocks, and lets the least recently used go', async () => {
    const tier = await bench.open({ limitBytes: 3 * BLOCK });
    for (const key of ['a', 'b', 'c']) {
      const body = bodyOf(1, 10);
      await tier.put(entryOf(key, body), body, nobody);
    }
    await tier.get('a', nobody);
    const body = bodyOf(2, 10);
    expect(await tier.put(entryOf('d', body), body, nobody)).toBe(true);
    expect(tier.hottest(9)).toEqual(['d', 'a', 'c']);
    expect(await bench.files()).toHaveLength(3);
    expect(tier.stats()).toMatchObject({ bytes: 3 * BLOCK, evictions: 1 });
  });

  it('passes over what memory holds, as far as anything else is there', async () => {
    const tier = await bench.open({ limitBytes: 3 * BLOCK });
    hot.add('a');
    for (const key of ['a', 'b', 'c', 'd']) {
      const body = bodyOf(1, 10);
      await tier.put(entryOf(key, body), body, nobody);
    }
    expect(tier.has('a')).toBe(true);
    expect(tier.has('b')).toBe(false);
  });

  it('keeps nothing that is larger than all of it', async () => {
    const tier = await bench.open({ limitBytes: 3 * BLOCK });
    const body = bodyOf(1, 3 * BLOCK);
    expect(await tier.put(entryOf('a', body), body, nobody)).toBe(false);
    expect(await bench.files()).toEqual([]);
  });

  it('holds when many are put at once', async () => {
    const tier = await bench.open({ limitBytes: 10 * BLOCK });
    const keys = Array.from({ length: 60 }, (_, index) => `image:${index}`);
    const body = bodyOf(1, 2 * BLOCK);
    await Promise.all(keys.map(async (key) => tier.put(entryOf(key, body), body, nobody)));
    await tier.close();
    expect(tier.stats().bytes).toBeLessThanOrEqual(10 * BLOCK);
    expect((await bench.files()).length).toBe(tier.stats().entries);
  });

  it('leaves the filesystem its free space: takes nothing where less is left', async () => {
    const tier = await bench.open({ minFreeBytes: Number.MAX_SAFE_INTEGER });
    const body = bodyOf(1, 10);
    expect(await tier.put(entryOf('a', body), body, nobody)).toBe(false);
    expect(await bench.files()).toEqual([]);
  });

  it('gives way when the filesystem has too little left', async () => {
    const body = bodyOf(1, 10);
    await (await bench.open()).put(entryOf('a', body), body, nobody);
    const again = await bench.open({ minFreeBytes: Number.MAX_SAFE_INTEGER });
    expect(again.stats()).toMatchObject({ entries: 0, evictions: 1 });
  });

  it('sweeps what has expired', async () => {
    const tier = await bench.open();
    const body = bodyOf(1, 10);
    for (const [index, key] of ['a', 'b', 'c'].entries()) {
      await tier.put(entryOf(key, body, { expiresAtMs: clock.nowMs() + 1000 * (index + 1) }), body, nobody);
    }
    clock.advance(2500);
    await tier.sweep();
    expect(tier.hottest(9)).toEqual(['c']);
    expect(await bench.files()).toHaveLength(1);
  });
});
