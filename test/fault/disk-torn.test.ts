import { readFile, stat, truncate, unlink, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isWhole } from '../../src/core/entry.ts';
import { bytesOf } from '../contract/tier.contract.ts';
import { createDiskBench, type DiskBench } from '../fixtures/disk-folder.ts';
import { bodyOf, entryOf } from '../fixtures/entries.ts';
import { nobody } from '../fixtures/signals.ts';

const BODY = bodyOf(1, 20_000);
const ENTRY = entryOf('image:a', BODY, { topics: ['job:1'] });
const LARGE = { wholeBytesMax: 1000 };
let bench: DiskBench;

beforeEach(async () => {
  bench = await createDiskBench();
});
afterEach(async () => bench.dispose());

async function writeOne(): Promise<string> {
  const tier = await bench.open();
  await tier.put(ENTRY, BODY, nobody);
  const [path] = await bench.files();
  return path ?? '';
}

async function flip(path: string, position: number): Promise<void> {
  const bytes = await readFile(path);
  bytes[position] = (bytes[position] ?? 0) ^ 0x10;
  await writeFile(path, bytes);
}

/** Where each region of the file starts, and its end. */
async function regions(path: string): Promise<Record<string, number>> {
  const bytes = await readFile(path);
  const text = 16 + bytes.readUInt32BE(8);
  return {
    magic: 0,
    form: 7,
    length: 9,
    checksum: 13,
    text: 40,
    textEnd: text - 1,
    body: text,
    end: bytes.length - 1,
  };
}

describe.each([
  ['read whole', {}],
  ['streamed', LARGE],
])('a damaged file from an earlier run, %s', (_name, more) => {
  it.each(['magic', 'form', 'length', 'checksum', 'text', 'textEnd', 'body', 'end'])(
    'is a miss and is removed when a bit of its %s is wrong',
    async (region) => {
      const path = await writeOne();
      await flip(path, (await regions(path))[region] ?? 0);
      const again = await bench.open(more);
      expect(await again.get('image:a', nobody)).toBeUndefined();
      await again.close();
      expect(await bench.files()).toEqual([]);
      expect(again.stats()).toMatchObject({ entries: 0, bytes: 0, hits: 0 });
    },
  );

  it.each([0, 3, 15, 16, 100, -20_001, -20_000, -19_999, -1])(
    'is a miss and is removed when it ends at byte %i',
    async (length) => {
      const path = await writeOne();
      const { size } = await stat(path);
      await truncate(path, length < 0 ? size + length : length);
      const again = await bench.open(more);
      expect(await again.get('image:a', nobody)).toBeUndefined();
      await again.close();
      expect(await bench.files()).toEqual([]);
    },
  );

  it('is a miss when something follows its end', async () => {
    const path = await writeOne();
    await writeFile(path, Buffer.concat([await readFile(path), Buffer.from('x')]));
    const again = await bench.open(more);
    expect(await again.get('image:a', nobody)).toBeUndefined();
  });

  it('is a miss when it lies under the name of another key', async () => {
    const path = await writeOne();
    const tier = await bench.open();
    await tier.put({ ...ENTRY, key: 'image:b' }, BODY, nobody);
    const other = (await bench.files()).find((file) => file !== path) ?? '';
    await writeFile(other, await readFile(path));
    const again = await bench.open(more);
    expect(await again.get('image:b', nobody)).toBeUndefined();
    expect(await again.get('image:a', nobody)).toBeDefined();
    await again.close();
    expect(await bench.files()).toEqual([path]);
  });

  it('does not keep its key from being put anew', async () => {
    const path = await writeOne();
    await flip(path, (await regions(path))['body'] ?? 0);
    const again = await bench.open(more);
    expect(await again.get('image:a', nobody)).toBeUndefined();
    await again.put(ENTRY, BODY, nobody);
    const stored = await again.get('image:a', nobody);
    expect(stored !== undefined && Buffer.from(await bytesOf(stored)).equals(BODY)).toBe(true);
  });
});

describe('a file that changes under a running tier', () => {
  it.each([
    ['vanishes', async (path: string) => unlink(path)],
    ['is cut off', async (path: string) => truncate(path, 9000)],
    ['is emptied', async (path: string) => truncate(path, 0)],
    [
      'grows',
      async (path: string) => writeFile(path, Buffer.concat([await readFile(path), Buffer.from('x')])),
    ],
    ['becomes something else', async (path: string) => writeFile(path, 'not ours')],
  ])('is a miss when it %s, and nothing is counted for it any more', async (_name, damage) => {
    for (const more of [{}, LARGE]) {
      const tier = await bench.open(more);
      await tier.put(ENTRY, BODY, nobody);
      const [path = ''] = await bench.files();
      await damage(path);
      expect(await tier.get('image:a', nobody)).toBeUndefined();
      expect(tier.has('image:a')).toBe(false);
      expect(tier.stats()).toMatchObject({ entries: 0, bytes: 0, errors: 0 });
      await tier.close();
      expect(await bench.files()).toEqual([]);
    }
  });

  it('ends a stream before its first piece when it vanished between find and read', async () => {
    const tier = await bench.open(LARGE);
    await tier.put(ENTRY, BODY, nobody);
    const stored = await tier.get('image:a', nobody);
    const [path = ''] = await bench.files();
    await unlink(path);
    if (stored === undefined) throw new Error('was put');
    await expect(bytesOf(stored)).rejects.toMatchObject({ code: 'body_vanished' });
  });

  it('breaks a stream that is under way off, rather than ending it early', async () => {
    const body = bodyOf(1, 600_000);
    const tier = await bench.open(LARGE);
    await tier.put(entryOf('image:b', body), body, nobody);
    const stored = await tier.get('image:b', nobody);
    if (stored === undefined || isWhole(stored.body)) throw new Error('should be a stream');
    const { body: stream } = stored;
    const [path = ''] = await bench.files();
    let got = 0;
    const reading = (async () => {
      for await (const piece of stream.read(0, body.byteLength - 1, nobody)) {
        got += piece.byteLength;
        await truncate(path, 300_000);
      }
    })();
    await expect(reading).rejects.toMatchObject({ code: 'body_vanished' });
    expect(got).toBe(262_144);
  });
});
