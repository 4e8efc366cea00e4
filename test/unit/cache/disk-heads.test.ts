import { mkdir, rm, truncate } from 'node:fs/promises';
import { basename } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createHeadReader, type HeadReader } from '../../../src/cache/disk-heads.ts';
import { createDiskPaths } from '../../../src/cache/disk-paths.ts';
import { createHeadsThread } from '../../../src/cache/heads-thread.ts';
import { createDiskBench, type DiskBench } from '../../fixtures/disk-folder.ts';
import { bodyOf, entryOf } from '../../fixtures/entries.ts';
import { nobody } from '../../fixtures/signals.ts';

const BUILT = new URL('../../../dist/workers/read-heads.js', import.meta.url);
const BODY = bodyOf(1, 1000);
const NONE = 'a'.repeat(64);

let lost: unknown[] = [];
const threadFor = (dir: string, url = BUILT): HeadReader =>
  createHeadsThread({ dir, url, nice: 5, onLost: (error) => lost.push(error) });

let bench: DiskBench;
beforeEach(async () => {
  lost = [];
  bench = await createDiskBench();
});
afterEach(async () => bench.dispose());

/** The names of so many files, each whole. */
async function fill(count: number): Promise<string[]> {
  const tier = await bench.open();
  const keys = Array.from({ length: count }, (_, at) => `image:${at}`);
  for (const key of keys) await tier.put(entryOf(key, BODY), BODY, nobody);
  await tier.close();
  return keys.map((key) => createDiskPaths(bench.dir).nameOf(key));
}

describe.each([
  ['here', (dir: string) => createHeadReader(createDiskPaths(dir))],
  ['in a thread', (dir: string) => threadFor(dir)],
])('heads, read %s', (_where, readerOf) => {
  let heads: HeadReader;
  beforeEach(() => {
    heads = readerOf(bench.dir);
  });
  afterEach(async () => heads.close());

  it('says of each name, in their order, what is there', async () => {
    const [whole = '', cut = '', folder = ''] = await fill(3);
    const paths = createDiskPaths(bench.dir);
    await truncate(paths.fileOf(cut), 900);
    await rm(paths.fileOf(folder));
    await mkdir(paths.fileOf(folder));
    expect(await heads.read([whole, NONE, cut, folder])).toEqual([
      expect.objectContaining({
        entry: expect.objectContaining({ key: 'image:0', bytes: 1000 }),
        mtimeMs: expect.any(Number),
      }),
      'absent',
      'torn',
      'torn',
    ]);
  });

  it('says nothing of an entry that the index does not keep', async () => {
    const names = await fill(1);
    const [file] = await heads.read(names);
    expect(Object.keys((file as { entry: object }).entry).toSorted()).toEqual([
      'bytes',
      'expiresAtMs',
      'key',
      'version',
    ]);
  });

  it('reads again after it was closed', async () => {
    const names = await fill(1);
    const before = await heads.read(names);
    await heads.close();
    expect(await heads.read(names)).toEqual(before);
  });
});

describe('a thread that cannot be had', () => {
  it('fails what was asked of it, and the folder is read without it', async () => {
    const names = await fill(300);
    const url = new URL('no-such-thread.js', BUILT);
    await expect(threadFor(bench.dir, url).read(names)).rejects.toThrow('Cannot find module');
    lost = [];
    const without = await createDiskBench({ heads: threadFor(bench.dir, url) });
    const tier = await without.open({ dir: bench.dir });
    expect(tier.stats().entries).toBe(300);
    // Three questions, but it was tried and told of once.
    expect(lost).toHaveLength(1);
    expect((await bench.files()).map((path) => basename(path)).toSorted()).toEqual(names.toSorted());
    await without.dispose();
  });
});
