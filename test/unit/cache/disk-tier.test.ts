import { statSync } from 'node:fs';
import { readFile, rename, stat, symlink, unlink, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDiskPaths } from '../../../src/cache/disk-paths.ts';
import { createDiskBench, type DiskBench } from '../../fixtures/disk-folder.ts';
import { bodyOf, entryOf } from '../../fixtures/entries.ts';
import { createManualClock, type ManualClock } from '../../fixtures/manual-clock.ts';
import { nobody } from '../../fixtures/signals.ts';

const BLOCK = 4096;
let bench: DiskBench;
let clock: ManualClock;

beforeEach(async () => {
  clock = createManualClock();
  bench = await createDiskBench({ clock });
});
afterEach(async () => bench.dispose());

const pathOf = (key: string): string => {
  const paths = createDiskPaths(bench.dir);
  return paths.fileOf(paths.nameOf(key));
};

describe('after a restart the disk tier', () => {
  it('gives entry and bytes as they were put', async () => {
    const body = bodyOf(1, 50_000);
    const entry = entryOf('image:a', body, { topics: ['job:1'], meta: { prompt: 'a cat' } });
    await (await bench.open()).put(entry, body, nobody);
    const again = await bench.open();
    expect(again.has('image:a')).toBe(true);
    expect(again.stats()).toMatchObject({ entries: 1, bytes: 13 * BLOCK });
    expect(await again.get('image:a', nobody)).toEqual({ entry, body });
  });

  it('keeps the expiry', async () => {
    const body = bodyOf(1, 10);
    await (await bench.open()).put(entryOf('a', body, { expiresAtMs: clock.nowMs() + 5000 }), body, nobody);
    const again = await bench.open();
    expect(await again.get('a', nobody)).toBeDefined();
    clock.advance(5000);
    expect(again.has('a')).toBe(false);
    expect(await again.get('a', nobody)).toBeUndefined();
    expect((await bench.open()).stats().entries).toBe(0);
  });

  it('still knows which renderings go with which image', async () => {
    const body = bodyOf(1, 10);
    const first = await bench.open();
    await first.put(entryOf('image:a', body), body, nobody);
    await first.put(entryOf('variant:a', body, { parent: 'image:a' }), body, nobody);
    const again = await bench.open();
    await again.delete('image:a', nobody);
    await again.close();
    expect(await bench.files()).toEqual([]);
  });

  it('finds what lies where the folder could not be read then, and says so', async () => {
    const body = bodyOf(1, 10);
    await (await bench.open()).put(entryOf('image:a', body), body, nobody);
    const part = dirname(pathOf('image:a'));
    await rename(part, join(bench.dir, 'aside'));
    await symlink(part, part);
    const again = await bench.open();
    expect(again.has('image:a')).toBe(false);
    expect(bench.lines.map(({ message }) => message)).toContain(
      'The disk tier cannot be read: going on without it',
    );
    await expect(again.get('image:a', nobody)).rejects.toThrow('storage_unavailable');
    await unlink(part);
    await rename(join(bench.dir, 'aside'), part);
    expect(await again.get('image:a', nobody)).toMatchObject({ body });
    expect(again.has('image:a')).toBe(true);
  });

  it('names what was used last as the hottest', async () => {
    const first = await bench.open();
    for (const [age, key] of ['new', 'middle', 'old'].entries()) {
      const body = bodyOf(age, 10);
      await first.put(entryOf(key, body), body, nobody);
      await utimes(pathOf(key), 2_000_000 - age * 100, 2_000_000 - age * 100);
    }
    const again = await bench.open();
    expect(again.hottest(2)).toEqual(['new', 'middle']);
    await again.get('old', nobody);
    expect(again.hottest(3)).toEqual(['old', 'new', 'middle']);
  });

  it('is told at the end what was hot in memory: that comes first in the next run', async () => {
    const first = await bench.open();
    for (const [age, key] of ['a', 'b', 'c', 'd'].entries()) {
      const body = bodyOf(age, 10);
      await first.put(entryOf(key, body), body, nobody);
      await utimes(pathOf(key), 10 + age, 10 + age);
    }
    // Asked for from memory alone: the disk has heard of none of it.
    await first.noteHottest(['b', 'not here', 'a']);
    const again = await bench.open();
    expect(again.hottest(4)).toEqual(['b', 'a', 'd', 'c']);
  });

  it('notes a use for the next run, but not each', async () => {
    const body = bodyOf(1, 10);
    const tier = await bench.open();
    await tier.put(entryOf('a', body), body, nobody);
    const written = statSync(pathOf('a')).mtimeMs;
    await tier.get('a', nobody);
    expect(statSync(pathOf('a')).mtimeMs).toBe(written);
    clock.advance(3_600_000);
    await tier.get('a', nobody);
    await tier.close();
    expect(statSync(pathOf('a')).mtimeMs).toBe(clock.nowMs());
  });

  it('evicts an inherited folder down to a smaller budget, the oldest first', async () => {
    const first = await bench.open();
    for (let index = 0; index < 100; index += 1) {
      const body = bodyOf(index, 1000);
      await first.put(entryOf(`image:${index}`, body), body, nobody);
      await utimes(pathOf(`image:${index}`), 1_000_000 + index * 60, 1_000_000 + index * 60);
    }
    const again = await bench.open({ limitBytes: 10 * BLOCK });
    expect(again.stats()).toMatchObject({ entries: 10, bytes: 10 * BLOCK, evictions: 90 });
    expect(again.hottest(100)).toEqual(Array.from({ length: 10 }, (_, index) => `image:${99 - index}`));
    expect(await bench.files()).toHaveLength(10);
  });
});

describe('while it is still reading its folder the disk tier', () => {
  it('finds what it has not indexed yet, deletes it, and does not bring it back', async () => {
    const body = bodyOf(1, 10);
    const first = await bench.open();
    for (const key of ['image:a', 'image:b']) await first.put(entryOf(key, body), body, nobody);
    await first.put(entryOf('variant:b', body, { parent: 'image:b' }), body, nobody);
    const again = await bench.open({ wait: false });
    expect(again.isLoading()).toBe(true);
    expect((await again.get('image:a', nobody))?.entry.key).toBe('image:a');
    expect(await again.delete('image:b', nobody)).toBe(true);
    await again.loaded;
    expect(again.isLoading()).toBe(false);
    expect(again.has('image:b')).toBe(false);
    expect(await again.get('variant:b', nobody)).toBeUndefined();
    await again.close();
    expect(await bench.files()).toHaveLength(1);
  });

  it('deletes by test what it has yet to find, but not what is put meanwhile', async () => {
    const body = bodyOf(1, 10);
    const first = await bench.open();
    for (let index = 0; index < 20; index += 1)
      await first.put(entryOf(`cache:${index}`, body), body, nobody);
    const again = await bench.open({ wait: false });
    const deleting = again.deleteWhere((key) => key.startsWith('cache:'), nobody);
    await again.put(entryOf('cache:new', body), body, nobody);
    expect(await deleting).toBe(20);
    expect(again.hottest(100)).toEqual(['cache:new']);
  });

  it('keeps a newer value of a key that the folder has an old one of', async () => {
    const [before, after] = [bodyOf(1, 10), bodyOf(2, 20)];
    await (await bench.open()).put(entryOf('a', before), before, nobody);
    const again = await bench.open({ wait: false });
    await again.put(entryOf('a', after), after, nobody);
    await again.loaded;
    expect((await again.get('a', nobody))?.body).toEqual(after);
    expect(again.stats()).toMatchObject({ entries: 1, bytes: BLOCK });
  });
});

describe('the files of the disk tier', () => {
  it('carry no part of the key in their path, and nothing half written', async () => {
    const tier = await bench.open();
    const body = bodyOf(1, 10);
    await tier.put(entryOf('image:../../etc/passwd', body), body, nobody);
    const files = await bench.files();
    expect(files).toHaveLength(1);
    expect(files[0]).toMatch(/v1\/[0-9a-f]\/[0-9a-f]{2}\/[0-9a-f]{64}$/);
    expect(await bench.temps()).toEqual([]);
  });

  it('hold the body byte for byte after their head', async () => {
    const tier = await bench.open();
    const body = bodyOf(1, 5000);
    await tier.put(entryOf('a', body), body, nobody);
    const bytes = await readFile(pathOf('a'));
    expect(bytes.subarray(0, 4).toString()).toBe('AFIM');
    expect(bytes.subarray(-5000).equals(body)).toBe(true);
  });

  it('may be written by another process meanwhile: the newer bytes are served', async () => {
    const [before, after] = [bodyOf(1, 5000), bodyOf(2, 6000)];
    const [mine, other] = [await bench.open(), await bench.open()];
    await mine.put(entryOf('a', before), before, nobody);
    await other.put(entryOf('a', after), after, nobody);
    expect((await mine.get('a', nobody))?.body).toEqual(after);
    expect((await mine.get('a', nobody))?.body).toEqual(after);
    expect(mine.stats().errors).toBe(0);
  });

  it('drop the renderings of bytes that were replaced', async () => {
    const [before, after] = [bodyOf(1, 10), bodyOf(2, 10)];
    const tier = await bench.open();
    const { version } = entryOf('image:a', before);
    await tier.put(entryOf('image:a', before), before, nobody);
    await tier.put(
      entryOf('variant:a', before, { parent: 'image:a', parentVersion: version }),
      before,
      nobody,
    );
    await tier.put(entryOf('image:a', before), before, nobody);
    expect(tier.has('variant:a')).toBe(true);
    await tier.put(entryOf('image:a', after), after, nobody);
    expect(tier.has('variant:a')).toBe(false);
  });

  it('are not written by a tier that was closed', async () => {
    const tier = await bench.open();
    await tier.close();
    const body = bodyOf(1, 10);
    expect(await tier.put(entryOf('a', body), body, nobody)).toBe(false);
    expect(await bench.files()).toEqual([]);
  });

  it('are complete when a close follows a put at once', async () => {
    const tier = await bench.open();
    const body = bodyOf(1, 500_000);
    const writing = tier.put(entryOf('a', body), body, nobody);
    await tier.close();
    expect(await writing).toBe(true);
    expect((await stat(pathOf('a'))).size).toBeGreaterThan(500_000);
  });
});
