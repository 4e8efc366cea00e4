import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bytesOf } from '../contract/tier.contract.ts';
import { createDiskBench, type DiskBench } from '../fixtures/disk-folder.ts';
import { bodyOf, entryOf } from '../fixtures/entries.ts';
import { createLatch } from '../fixtures/latch.ts';
import { nobody, turn } from '../fixtures/signals.ts';

const WRITER = fileURLToPath(new URL('../fixtures/disk-writer.js', import.meta.url));
const BUILT = fileURLToPath(new URL('../../dist/src/cache/disk-tier.js', import.meta.url));
const BODY = bodyOf(1, 1000);
/** Thousands of files, or a process each time: slow where others use the machine. */
const SLOW_MS = 60_000;
let bench: DiskBench;
let turns: number;
let held: Promise<void> | undefined;

beforeEach(async () => {
  turns = 0;
  held = undefined;
  bench = await createDiskBench({
    yieldTurn: async () => {
      turns += 1;
      await (held ?? turn());
    },
  });
});
afterEach(async () => bench.dispose());

describe('a folder with files of others in it', () => {
  it('keeps them, whatever they are called, and counts none', async () => {
    const tier = await bench.open();
    await tier.put(entryOf('image:a', BODY), BODY, nobody);
    const [path = ''] = await bench.files();
    const hex = 'f'.repeat(64);
    const foreign = [
      join(bench.dir, 'README'),
      join(bench.dir, 'v1', 'notes.txt'),
      join(bench.dir, 'v1', 'tmp', 'mine'),
      join(dirname(path), 'thumbs.db'),
      // One of our names, where no file of ours would lie.
      join(dirname(path), dirname(path).endsWith('ff') ? 'a'.repeat(64) : hex),
      join(bench.dir, hex),
    ];
    for (const file of foreign) await writeFile(file, 'mine');
    const again = await bench.open({ limitBytes: 4096 });
    await again.sweep();
    expect(again.stats()).toMatchObject({ entries: 1, bytes: 4096 });
    await again.close();
    for (const file of foreign) expect(await readFile(file, 'utf8')).toBe('mine');
  });

  it('lives with a folder under one of its names', async () => {
    const tier = await bench.open();
    await tier.put(entryOf('image:a', BODY), BODY, nobody);
    const [path = ''] = await bench.files();
    await rm(path);
    await mkdir(path);
    await expect(tier.get('image:a', nobody)).rejects.toMatchObject({ code: 'storage_unavailable' });
    const attempt = tier.put(entryOf('image:a', BODY), BODY, nobody);
    await expect(attempt).rejects.toMatchObject({ code: 'storage_unavailable' });
    expect(await bench.temps()).toEqual([]);
    const again = await bench.open();
    expect(again.stats().entries).toBe(0);
  });
});

describe('a process that is killed while it writes', () => {
  it(
    'leaves only whole files, and its half-written ones are cleared away',
    { timeout: SLOW_MS },
    async () => {
      await access(BUILT).catch(() => {
        throw new Error('dist is missing: npx tsc -p tsconfig.json');
      });
      for (let round = 0; round < 4; round += 1) {
        const child = spawn(process.execPath, [WRITER, bench.dir], { stdio: ['ignore', 'pipe', 'inherit'] });
        await once(child.stdout, 'data');
        // At another place of its work each time: after that many files have appeared.
        while ((await bench.files()).length < 6 + round * 7) await turn();
        child.kill('SIGKILL');
        await once(child, 'exit');
        const tier = await bench.open();
        expect(await bench.temps()).toEqual([]);
        expect(tier.stats().entries).toBe((await bench.files()).length);
        for (const key of tier.hottest(1000)) {
          const stored = await tier.get(key, nobody);
          expect(stored?.entry.key).toBe(key);
          const bytes = stored === undefined ? new Uint8Array(0) : await bytesOf(stored);
          expect(bytes.every((byte) => byte === bytes[0])).toBe(true);
        }
        expect(tier.stats().misses).toBe(0);
        await tier.close();
      }
    },
  );
});

describe('half-written files', () => {
  it('go at start, unless the process that writes them still runs', async () => {
    await bench.open();
    const temp = join(bench.dir, 'v1', 'tmp');
    await writeFile(join(temp, '999999999-1-1'), 'of a process that is gone');
    await writeFile(join(temp, `${process.pid}-1-1`), 'of an earlier process with our id');
    await writeFile(join(temp, `${process.ppid}-1-1`), 'of one that runs');
    await bench.open();
    expect(await bench.temps()).toEqual([`${process.ppid}-1-1`]);
  });
});

describe('a folder that cannot be used', () => {
  it('fails its calls, says so once, and works again when it can be used', async () => {
    const dir = join(bench.dir, 'cache');
    await writeFile(dir, 'a file is in the way');
    const tier = await bench.open({ dir });
    for (let index = 0; index < 3; index += 1) {
      const attempt = tier.put(entryOf('image:a', BODY), BODY, nobody);
      await expect(attempt).rejects.toMatchObject({ code: 'storage_unavailable' });
    }
    await expect(tier.get('image:a', nobody)).rejects.toMatchObject({ code: 'storage_unavailable' });
    expect(bench.lines.filter(({ message }) => message.includes('cannot be written'))).toHaveLength(1);
    expect(tier.stats()).toMatchObject({ entries: 0, bytes: 0 });
    expect(tier.stats().errors).toBeGreaterThanOrEqual(3);
    await rm(dir);
    expect(await tier.put(entryOf('image:a', BODY), BODY, nobody)).toBe(true);
    expect((await tier.get('image:a', nobody))?.body).toEqual(BODY);
    expect(bench.lines.map(({ message }) => message)).toContain('The disk tier can be written again');
    expect(tier.isLoading()).toBe(true);
    await tier.sweep();
    expect(tier.isLoading()).toBe(false);
  });

  it('is made anew when somebody removed it', async () => {
    const tier = await bench.open();
    await tier.put(entryOf('image:a', BODY), BODY, nobody);
    await rm(bench.dir, { recursive: true });
    expect(await tier.get('image:a', nobody)).toBeUndefined();
    expect(await tier.put(entryOf('image:a', BODY), BODY, nobody)).toBe(true);
    expect((await tier.get('image:a', nobody))?.body).toEqual(BODY);
  });
});

describe('a rendering that is not indexed yet when its original is deleted', () => {
  it('is not found any more, before and after it is come upon', async () => {
    const first = await bench.open();
    const variants = Array.from({ length: 20 }, (_, index) => `variant:${index}`);
    await first.put(entryOf('image:a', BODY), BODY, nobody);
    for (const key of variants) await first.put(entryOf(key, BODY, { parent: 'image:a' }), BODY, nobody);
    await first.close();
    const latch = createLatch();
    held = latch.opened;
    const again = await bench.open({ wait: false });
    await again.delete('image:a', nobody);
    for (const key of variants) expect(await again.get(key, nobody)).toBeUndefined();
    expect(again.isLoading()).toBe(true);
    latch.open();
    await again.loaded;
    for (const key of variants) expect(await again.get(key, nobody)).toBeUndefined();
    await again.close();
    expect(await bench.files()).toEqual([]);
  });
});

describe('a folder with thousands of files', () => {
  it('is taken over in small slices, and answers from the first moment', { timeout: SLOW_MS }, async () => {
    const first = await bench.open();
    const keys = Array.from({ length: 2000 }, (_, index) => `image:${index}`);
    await Promise.all(keys.map(async (key) => first.put(entryOf(key, BODY), BODY, nobody)));
    await first.close();
    turns = 0;
    const again = await bench.open({ wait: false });
    expect((await again.get('image:1999', nobody))?.body).toEqual(BODY);
    expect(again.isLoading()).toBe(true);
    expect(await again.put(entryOf('image:new', BODY), BODY, nobody)).toBe(true);
    await again.loaded;
    // Three files a slice at most, and a turn of the event loop after each.
    expect(turns).toBeGreaterThanOrEqual(Math.floor(2000 / 3));
    expect(again.stats().entries).toBe(2001);
    expect(again.hottest(2)).toEqual(['image:new', 'image:1999']);
  });

  it('is left alone at once when the tier is closed', async () => {
    const first = await bench.open();
    for (let index = 0; index < 50; index += 1)
      await first.put(entryOf(`image:${index}`, BODY), BODY, nobody);
    turns = 0;
    const again = await bench.open({ wait: false });
    await again.close();
    expect(turns).toBeLessThan(5);
  });
});

describe('a file that cannot be removed', () => {
  /** A folder in its place: unlink fails on it, as everything does on a filesystem that became read-only. */
  async function obstruct(): Promise<string> {
    const [path = ''] = await bench.files();
    await rm(path);
    await mkdir(path);
    return path;
  }

  it('is still counted, so that the budget is not exceeded behind its back', async () => {
    const tier = await bench.open({ limitBytes: 4096 });
    await tier.put(entryOf('image:a', BODY), BODY, nobody);
    await obstruct();
    expect(await tier.put(entryOf('image:b', BODY), BODY, nobody)).toBe(false);
    expect(tier.stats()).toMatchObject({ entries: 1, bytes: 4096, evictions: 0 });
  });

  it('makes its deletion fail until it can be done', async () => {
    const tier = await bench.open();
    await tier.put(entryOf('image:a', BODY), BODY, nobody);
    const path = await obstruct();
    const attempt = tier.delete('image:a', nobody);
    await expect(attempt).rejects.toMatchObject({ code: 'storage_unavailable' });
    await rm(path, { recursive: true });
    await writeFile(path, 'torn');
    expect(await tier.delete('image:a', nobody)).toBe(true);
    expect(await bench.files()).toEqual([]);
  });

  it('makes a deletion by test fail, for it would come back with the next run', async () => {
    const tier = await bench.open();
    await tier.put(entryOf('image:a', BODY), BODY, nobody);
    await obstruct();
    const attempt = tier.deleteWhere(() => true, nobody);
    await expect(attempt).rejects.toMatchObject({ code: 'storage_unavailable' });
    expect(tier.has('image:a')).toBe(false);
  });
});
