import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DiskTier } from '../../../src/cache/disk-tier.ts';
import type { GrowingBody } from '../../../src/cache/origin.ts';
import type { Entry } from '../../../src/core/entry.ts';
import { bytesOf } from '../../contract/tier.contract.ts';
import { createDiskBench, type DiskBench } from '../../fixtures/disk-folder.ts';
import { bodyOf, entryOf } from '../../fixtures/entries.ts';
import { createLatch, type Latch } from '../../fixtures/latch.ts';
import { nobody, turn } from '../../fixtures/signals.ts';

const BODY = bodyOf(1, 900_000);
const WHOLE = entryOf('image:large', BODY);
const DRAFT: Entry = { ...WHOLE, version: 'e'.repeat(64), undigested: true };
const STEP = 100_000;
let bench: DiskBench;
let tier: DiskTier;
let latches: Latch[];

beforeEach(async () => {
  bench = await createDiskBench();
  tier = await bench.open({ wholeBytesMax: 10_000, limitBytes: 2_000_000 });
  latches = Array.from({ length: 9 }, () => createLatch());
});
afterEach(async () => bench.dispose());

/** The body in nine pieces, each when the test lets it come. */
async function* held(body = BODY): AsyncGenerator<Uint8Array> {
  for (const [index, latch] of latches.entries()) {
    await latch.opened;
    yield body.subarray(index * STEP, (index + 1) * STEP);
  }
}

async function* broken(): AsyncGenerator<Uint8Array> {
  yield BODY.subarray(0, STEP);
  throw new Error('reset');
}

function open(count: number): void {
  for (const latch of latches.slice(0, count)) latch.open();
}

async function readAll(growing: GrowingBody, from = 0, to = BODY.byteLength - 1): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of growing.read(from, to, nobody)) pieces.push(piece);
  return Buffer.concat(pieces);
}

function start(pieces: AsyncIterable<Uint8Array> = held()): GrowingBody {
  const growing = tier.keep(DRAFT, pieces);
  if (growing === undefined) throw new Error('should be kept');
  return growing;
}

describe('a body that passes through the disk tier', () => {
  it('is read by several while it comes, and kept under its digest', async () => {
    const growing = start();
    const readers = [readAll(growing), readAll(growing), readAll(growing, 450_000, 450_009)];
    open(5);
    expect((await readers[2])?.equals(BODY.subarray(450_000, 450_010))).toBe(true);
    expect(growing.writtenBytes()).toBe(500_000);
    expect(tier.has('image:large')).toBe(false);
    open(9);
    for (const all of await Promise.all(readers.slice(0, 2))) expect(all.equals(BODY)).toBe(true);
    expect(await growing.kept).toEqual(WHOLE);
    const stored = await tier.get('image:large', nobody);
    expect(stored?.entry).toEqual(WHOLE);
    expect(stored !== undefined && Buffer.from(await bytesOf(stored)).equals(BODY)).toBe(true);
    expect(await bench.temps()).toEqual([]);
  });

  it('is whole for the next run too', async () => {
    open(9);
    await start().kept;
    const again = await bench.open({ wholeBytesMax: 10_000 });
    const stored = await again.get('image:large', nobody);
    expect(stored !== undefined && Buffer.from(await bytesOf(stored)).equals(BODY)).toBe(true);
  });

  it('can still be read from the handle after it was kept', async () => {
    const growing = start();
    open(9);
    await growing.kept;
    expect((await readAll(growing, 10, 19)).equals(BODY.subarray(10, 20))).toBe(true);
  });

  it('is not kept, and leaves nothing, when it breaks off', async () => {
    const growing = start(broken());
    await expect(readAll(growing)).rejects.toMatchObject({ code: 'body_vanished' });
    expect(await growing.kept).toBeUndefined();
    expect([await bench.temps(), await bench.files()]).toEqual([[], []]);
    expect(tier.stats().bytes).toBe(0);
  });

  it.each([
    ['shorter', BODY.subarray(0, 800_000)],
    ['longer', bodyOf(1, 1_000_000)],
  ])('is not kept when it is %s than was said', async (_name, body) => {
    const growing = start(
      (async function* once() {
        yield body;
      })(),
    );
    expect(await growing.kept).toBeUndefined();
    expect(await bench.files()).toEqual([]);
  });

  it.each([
    ['put', async () => tier.put(entryOf('image:large', bodyOf(2, 50)), bodyOf(2, 50), nobody)],
    ['deleted', async () => tier.delete('image:large', nobody)],
    ['deleted by test', async () => tier.deleteWhere((key) => key === 'image:large', nobody)],
  ])('does not come last when its key is %s meanwhile', async (_name, change) => {
    const growing = start();
    open(3);
    for (let wait = 0; wait < 5; wait += 1) await turn();
    await change();
    const before = await tier.get('image:large', nobody);
    open(9);
    expect(await growing.kept).toBeUndefined();
    expect((await tier.get('image:large', nobody))?.entry).toEqual(before?.entry);
    expect(await bench.temps()).toEqual([]);
  });

  it('gives way to a newer one of the same key', async () => {
    const first = start();
    const newer = bodyOf(3, 900_000);
    open(2);
    const second = start(held(newer));
    open(9);
    expect(await first.kept).toBeUndefined();
    expect((await second.kept)?.version).toBe(entryOf('image:large', newer).version);
  });

  it('is refused to readers at once where there is no room for it', async () => {
    const growing = tier.keep({ ...DRAFT, bytes: 3_000_000 }, held());
    expect(await growing?.kept).toBeUndefined();
    if (growing !== undefined)
      await expect(readAll(growing)).rejects.toMatchObject({ code: 'body_vanished' });
  });

  it('goes on when a reader leaves', async () => {
    const growing = start();
    const reader = new AbortController();
    const reading = (async () => {
      for await (const piece of growing.read(0, BODY.byteLength - 1, reader.signal))
        expect(piece).toBeDefined();
    })();
    open(2);
    await turn();
    reader.abort(new Error('left'));
    await expect(reading).rejects.toThrow('left');
    open(9);
    expect(await growing.kept).toEqual(WHOLE);
  });
});
