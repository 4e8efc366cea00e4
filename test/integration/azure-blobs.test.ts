import { describe, expect, it } from 'vitest';
import type { Found } from '../../src/cache/lookup.ts';
import { isWhole } from '../../src/core/entry.ts';
import { entryOf } from '../fixtures/entries.ts';
import { bytesOf, CUTOFF_BYTES, FRESH_MS, useAzureBench } from '../fixtures/azure-bench.ts';
import { eventually } from '../fixtures/eventually.ts';
import { jpeg, png } from '../fixtures/images.ts';
import { nobody } from '../fixtures/signals.ts';
import { sha256 } from '../fixtures/sha256.ts';

const bench = useAzureBench();

/** A PNG with so much behind it: larger than the cut-off, and told by its first bytes. */
async function largePng(bytes: number): Promise<Buffer> {
  const body = Buffer.alloc(bytes);
  for (let at = 0; at < bytes; at += 4) body.writeUInt32LE((at * 2_654_435_761) >>> 0, at);
  body.set(await png());
  return body;
}

/** Reads all of it, and leaves what came before it broke. */
async function pour(found: Found | undefined, into: Uint8Array[]): Promise<void> {
  if (found === undefined || isWhole(found.body)) throw new Error('should be a stream');
  for await (const piece of found.body.read(0, found.entry.bytes - 1, nobody)) into.push(Buffer.from(piece));
}

describe('a blob over the cut-off', () => {
  const BYTES = 6 * CUTOFF_BYTES + 12_344;

  it('is streamed to all who ask while one pull fills the disk, and has its digest from then on', async () => {
    const { find, upload, proxy } = await bench();
    const body = await largePng(BYTES);
    await upload('large', body);
    const first = await find('large');
    expect(first?.entry).toMatchObject({ bytes: BYTES, mime: 'image/png', undigested: true });
    const copies = await Promise.all(
      Array.from({ length: 5 }, async () => sha256(await bytesOf(await find('large')))),
    );
    expect(new Set([...copies, sha256(await bytesOf(first))])).toEqual(new Set([sha256(body)]));
    expect(proxy.seen).toHaveLength(1);
    await eventually(async () => (await find('large'))?.steps.at(-1)?.tier === 'disk', 'the disk has it');
    const kept = await find('large');
    expect(kept?.entry).toMatchObject({ version: sha256(body), bytes: BYTES });
    expect(kept?.entry.undigested).toBeUndefined();
    expect(await bytesOf(kept, 100, 199)).toEqual(body.subarray(100, 200));
    expect(proxy.seen).toHaveLength(1);
  });

  it('gives a range of itself cold without the rest being fetched or kept', async () => {
    const { find, upload, proxy, origin, cache } = await bench();
    const body = await largePng(BYTES);
    await upload('large', body);
    const from = 5 * CUTOFF_BYTES;
    expect(await bytesOf(await find('large'), from, from + 999)).toEqual(body.subarray(from, from + 1000));
    expect(proxy.seen.at(-1)?.headers['x-ms-range']).toBe(`bytes=${from}-${from + 999}`);
    expect(await bytesOf(await find('large'), 10, 19)).toEqual(body.subarray(10, 20));
    expect(proxy.seen).toHaveLength(3);
    expect(origin.stats().bytes).toBeLessThan(CUTOFF_BYTES);
    expect(cache.has('image:large')).toBe(false);
  });

  it.each([
    ['breaks off', { kind: 'cut', afterBytes: 2 * CUTOFF_BYTES }],
    ['stalls', { kind: 'stall', afterBytes: 2 * CUTOFF_BYTES }],
  ] as const)('goes on with the rest when the pull %s', async (_how, fault) => {
    const { find, upload, proxy, cache } = await bench({ timeoutMs: 300 });
    const body = await largePng(BYTES);
    await upload('large', body);
    proxy.fail(fault);
    expect(sha256(await bytesOf(await find('large')))).toBe(sha256(body));
    expect(proxy.seen).toHaveLength(2);
    expect(proxy.seen[1]?.headers['x-ms-range']).toMatch(/^bytes=\d{6,}-/);
    expect(proxy.seen[1]?.headers['if-match']).toMatch(/^"/);
    await eventually(() => cache.has('image:large'), 'the disk has it');
    expect(proxy.seen).toHaveLength(2);
  });

  it('is never kept or ended as whole when it changes while it is pulled', async () => {
    const { find, upload, proxy, cache } = await bench();
    await upload('large', await largePng(BYTES));
    proxy.fail({ kind: 'cut', afterBytes: 2 * CUTOFF_BYTES });
    const found = await find('large');
    await upload('large', (await largePng(BYTES)).fill(7, 1_000_000));
    await expect(bytesOf(found)).rejects.toMatchObject({ code: 'body_vanished' });
    expect(cache.has('image:large')).toBe(false);
  });

  it('is broken off before its last byte, and kept nowhere, when its checksum is wrong', async () => {
    const { find, upload, proxy } = await bench();
    const body = await largePng(BYTES);
    await upload('large', body);
    proxy.failAll({ kind: 'corrupt', afterBytes: 5 * CUTOFF_BYTES });
    const found = await find('large');
    const pieces: Uint8Array[] = [];
    await expect(pour(found, pieces)).rejects.toMatchObject({ code: 'body_vanished' });
    expect(Buffer.concat(pieces).byteLength).toBeLessThan(BYTES);
    expect(proxy.seen).toHaveLength(1);
    proxy.failAll(undefined);
    expect(sha256(await bytesOf(await find('large')))).toBe(sha256(body));
  });

  it('is given up after a few calls when Azure has fewer bytes than it said', async () => {
    const { find, upload, proxy } = await bench({ timeoutMs: 1000 });
    await upload('large', await largePng(BYTES));
    proxy.fail({ kind: 'claim', headers: (real) => ({ ...real, 'content-length': String(BYTES + 10) }) });
    await expect(bytesOf(await find('large'))).rejects.toMatchObject({ code: 'origin_failed' });
    expect(proxy.seen.length).toBeLessThan(10);
  });

  it('passes through uncached where nothing can keep it', async () => {
    const { find, upload, proxy } = await bench({ disk: false });
    const body = await largePng(BYTES);
    await upload('large', body);
    expect(sha256(await bytesOf(await find('large')))).toBe(sha256(body));
    expect(sha256(await bytesOf(await find('large')))).toBe(sha256(body));
    expect(proxy.seen).toHaveLength(2);
  });

  it('passes through when the disk has no room for it', async () => {
    const { find, upload } = await bench({ disk: { limitBytes: CUTOFF_BYTES } });
    const body = await largePng(BYTES);
    await upload('large', body);
    expect(sha256(await bytesOf(await find('large')))).toBe(sha256(body));
  });

  it('is not kept in its old form when it is replaced here while it is pulled', async () => {
    const { find, upload, cache } = await bench();
    await upload('large', await largePng(BYTES));
    const found = await find('large');
    if (found === undefined || found.body instanceof Uint8Array) throw new Error('not a stream');
    const reading = found.body.read(0, BYTES - 1, nobody)[Symbol.asyncIterator]();
    await reading.next();
    const mine = new Uint8Array(await jpeg());
    await cache.put(entryOf('image:large', mine, { mime: 'image/jpeg' }), mine, nobody);
    let rest = await reading.next().catch(() => ({ done: true }));
    while (rest.done !== true) rest = await reading.next().catch(() => ({ done: true }));
    expect((await find('large'))?.entry.version).toBe(sha256(mine));
    cache.invalidate('image:large');
    expect((await find('large'))?.entry.version).toBe(sha256(mine));
  });
});

describe('writing through', () => {
  it('stores what is put here in Azure, with type and cache control, and trusts it without asking', async () => {
    const { cache, find, proxy, clock } = await bench({ writeThrough: true });
    const body = new Uint8Array(await png());
    await cache.put(entryOf('image:new', body), body, nobody);
    const [put] = proxy.seen;
    expect(put).toMatchObject({ method: 'PUT' });
    expect(put?.headers).toMatchObject({
      'x-ms-blob-content-type': 'image/png',
      'x-ms-blob-cache-control': 'public, max-age=3600',
    });
    clock.advance(FRESH_MS + 1);
    expect(await bytesOf(await find('new'))).toEqual(Buffer.from(body));
    expect(proxy.seen.map(({ method }) => method)).toEqual(['PUT', 'GET']);
  });

  it('removes from Azure what is removed here', async () => {
    const { cache, find, upload } = await bench({ writeThrough: true });
    await upload('doomed', await png());
    await find('doomed');
    expect(await cache.delete('image:doomed', nobody)).toBe(true);
    expect(await find('doomed')).toBeUndefined();
    expect(await cache.delete('image:never', nobody)).toBe(false);
  });

  it('accepts nothing when Azure does not', async () => {
    const { cache, proxy } = await bench({ writeThrough: true });
    const body = new Uint8Array(await png());
    proxy.fail({ kind: 'answer', status: 403 });
    await expect(cache.put(entryOf('image:new', body), body, nobody)).rejects.toMatchObject({
      code: 'origin_failed',
    });
    expect(cache.has('image:new')).toBe(false);
  });

  it('leaves values, partials and variants to the tiers', async () => {
    const { origin } = await bench({ writeThrough: true });
    expect(['image:a', 'partial:a', 'cache:a', 'variant:x:y:a'].map(origin.covers)).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });
});
