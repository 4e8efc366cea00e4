import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isWhole } from '../../../src/core/entry.ts';
import { bytesOf } from '../../contract/tier.contract.ts';
import { createDiskBench, type DiskBench } from '../../fixtures/disk-folder.ts';
import { bodyOf, entryOf } from '../../fixtures/entries.ts';
import { nobody } from '../../fixtures/signals.ts';

let bench: DiskBench;

beforeEach(async () => {
  bench = await createDiskBench();
});
afterEach(async () => bench.dispose());

describe('a body over the cut-off', () => {
  const large = bodyOf(7, 700_000);

  async function openLarge() {
    const tier = await bench.open({ wholeBytesMax: 100_000 });
    await tier.put(entryOf('image:large', large), large, nobody);
    const stored = await tier.get('image:large', nobody);
    if (stored === undefined || isWhole(stored.body)) throw new Error('should be a stream');
    return { tier, entry: stored.entry, stream: stored.body };
  }

  async function read(from: number, to: number, stream: Awaited<ReturnType<typeof openLarge>>['stream']) {
    const pieces: Uint8Array[] = [];
    for await (const piece of stream.read(from, to, nobody)) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  it('comes in pieces, whole or by range, as often as asked', async () => {
    const { entry, stream } = await openLarge();
    expect(Buffer.from(await bytesOf({ entry, body: stream })).equals(large)).toBe(true);
    expect((await read(0, 0, stream)).equals(large.subarray(0, 1))).toBe(true);
    expect((await read(262_143, 262_145, stream)).equals(large.subarray(262_143, 262_146))).toBe(true);
    expect((await read(699_999, 699_999, stream)).equals(large.subarray(699_999))).toBe(true);
  });

  it('is read to its end though its file is evicted meanwhile', async () => {
    const { tier, stream } = await openLarge();
    const pieces: Uint8Array[] = [];
    for await (const piece of stream.read(0, large.byteLength - 1, nobody)) {
      pieces.push(piece);
      await tier.delete('image:large', nobody);
    }
    expect(Buffer.concat(pieces).equals(large)).toBe(true);
  });

  it('gives no first piece when its file is gone or holds other bytes by then', async () => {
    const { tier, stream } = await openLarge();
    const other = bodyOf(8, 700_000);
    await tier.put(entryOf('image:large', other), other, nobody);
    await expect(read(0, 9, stream)).rejects.toMatchObject({ code: 'body_vanished' });
    await tier.delete('image:large', nobody);
    await expect(read(0, 9, stream)).rejects.toMatchObject({ code: 'body_vanished' });
  });

  it('stops when its reader leaves', async () => {
    const { stream } = await openLarge();
    const reader = new AbortController();
    let got = 0;
    const reading = (async () => {
      for await (const piece of stream.read(0, large.byteLength - 1, reader.signal)) {
        got += piece.byteLength;
        reader.abort(new Error('left'));
      }
    })();
    await expect(reading).rejects.toThrow('left');
    expect(got).toBe(262_144);
  });
});
