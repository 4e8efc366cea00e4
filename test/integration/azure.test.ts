import { describe, expect, it } from 'vitest';
import { bytesOf, FRESH_MS, MISSING_MS, STALE_MS, useAzureBench } from '../fixtures/azure-bench.ts';
import { eventually } from '../fixtures/eventually.ts';
import { jpeg, png } from '../fixtures/images.ts';
import { sha256 } from '../fixtures/sha256.ts';

const bench = useAzureBench();

describe('an image that only Azure has', () => {
  it('costs one GET and no other call, and is then served from memory', async () => {
    const { find, upload, proxy, origin } = await bench();
    await upload('encounters/123/image.jpg', await jpeg());
    const found = await find('encounters/123/image.jpg');
    expect(await bytesOf(found)).toEqual(Buffer.from(await jpeg()));
    expect(found?.entry).toMatchObject({ mime: 'image/jpeg', version: sha256(await jpeg()) });
    expect(found?.steps.at(-1)).toMatchObject({ tier: 'azure', outcome: 'hit' });
    await find('encounters/123/image.jpg');
    expect(proxy.seen.map(({ method }) => method)).toEqual(['GET']);
    expect(origin.stats()).toMatchObject({ calls: 1, errors: 0, bytes: (await jpeg()).byteLength });
  });

  it('costs one GET for a thousand that ask at once', async () => {
    const { find, upload, proxy } = await bench();
    await upload('cold', await png());
    const all = await Promise.all(Array.from({ length: 1000 }, async () => find('cold')));
    expect(all.every((found) => found?.entry.bytes === all[0]?.entry.bytes)).toBe(true);
    expect(proxy.seen).toHaveLength(1);
  });

  it('takes its type from its bytes, and is refused when they are no bitmap', async () => {
    const { find, upload } = await bench();
    await upload('page', Buffer.from('<html><script>alert(1)</script></html>'));
    await upload('drawing', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"></svg>'));
    await expect(find('page')).rejects.toMatchObject({ code: 'not_an_image' });
    await expect(find('drawing')).rejects.toMatchObject({ code: 'svg_refused' });
  });
});

describe('an image that Azure does not have', () => {
  it('is asked for once in the time that this is remembered, and found when it appears later', async () => {
    const { find, upload, clock, proxy, origin } = await bench();
    expect(await find('later')).toBeUndefined();
    expect(await find('later')).toBeUndefined();
    expect(proxy.seen).toHaveLength(1);
    expect(origin.stats()).toMatchObject({ calls: 1, spared: 1, missing: 1, errors: 0 });
    await upload('later', await png());
    clock.advance(MISSING_MS + 1);
    expect((await find('later'))?.entry.mime).toBe('image/png');
  });

  it('is an error, not a miss, when it is the container that is not there', async () => {
    const { find, proxy } = await bench();
    proxy.fail({ kind: 'answer', status: 404, headers: { 'x-ms-error-code': 'ContainerNotFound' } });
    await expect(find('any')).rejects.toMatchObject({ code: 'origin_failed' });
  });
});

describe('an image whose time of trust is over', () => {
  it('is asked about by its ETag, and served on without its bytes being sent again', async () => {
    const { find, upload, clock, proxy, origin } = await bench();
    await upload('kept', await png());
    await find('kept');
    clock.advance(FRESH_MS + 1);
    const again = await find('kept');
    expect(again?.steps[0]).toMatchObject({ tier: 'memory', outcome: 'stale' });
    expect(proxy.seen[1]?.headers['if-none-match']).toMatch(/^"/);
    expect(origin.stats()).toMatchObject({ calls: 2, revalidated: 1, bytes: (await png()).byteLength });
    await find('kept');
    expect(proxy.seen).toHaveLength(2);
  });

  it('is replaced when Azure has other bytes by now', async () => {
    const { find, upload, clock } = await bench();
    await upload('changed', await png());
    await find('changed');
    await upload('changed', await jpeg());
    clock.advance(FRESH_MS + 1);
    expect((await find('changed'))?.entry.version).toBe(sha256(await jpeg()));
    expect((await find('changed'))?.entry.mime).toBe('image/jpeg');
  });

  it('goes from every tier when Azure has it no longer', async () => {
    const { find, upload, remove, clock, cache } = await bench();
    await upload('gone', await png());
    await find('gone');
    await remove('gone');
    clock.advance(FRESH_MS + 1);
    expect(await find('gone')).toBeUndefined();
    expect(cache.has('image:gone')).toBe(false);
  });

  it.each([
    ['refuses', { kind: 'answer', status: 403 }],
    ['is busy', { kind: 'answer', status: 503 }],
    ['says nothing', { kind: 'hang' }],
    ['breaks off', { kind: 'cut', afterBytes: 10 }],
  ] as const)('is served stale while Azure %s, and no longer than its window', async (_how, fault) => {
    const { find, upload, clock, proxy } = await bench({ timeoutMs: 200 });
    await upload('stale', await png());
    await find('stale');
    await upload('stale', await jpeg());
    clock.advance(FRESH_MS + 1);
    proxy.fail(fault);
    const served = await find('stale');
    expect(served?.entry.version).toBe(sha256(await png()));
    expect(served?.steps.at(-1)).toMatchObject({ tier: 'azure', outcome: 'stale' });
    clock.advance(STALE_MS + 1);
    proxy.fail(fault);
    await expect(find('stale')).rejects.toThrow(/origin_/);
    clock.advance(10_000);
    expect((await find('stale'))?.entry.version).toBe(sha256(await jpeg()));
  });
});

describe('a failure of Azure', () => {
  it.each([
    [{ kind: 'answer', status: 403 }, 'origin_failed'],
    [{ kind: 'answer', status: 409, headers: { 'x-ms-error-code': 'BlobArchived' } }, 'origin_failed'],
    [{ kind: 'answer', status: 412 }, 'origin_failed'],
    [{ kind: 'answer', status: 429 }, 'origin_failed'],
    [{ kind: 'answer', status: 500 }, 'origin_failed'],
    [{ kind: 'hang' }, 'origin_timeout'],
    [{ kind: 'stall', afterBytes: 1000 }, 'origin_timeout'],
    [{ kind: 'cut', afterBytes: 1000 }, 'origin_failed'],
    [{ kind: 'corrupt', afterBytes: 1000 }, 'origin_failed'],
  ] as const)('%o is %s, leaves nothing behind, and is over with the next request', async (fault, code) => {
    const { find, upload, cache, proxy, origin } = await bench({ timeoutMs: 200 });
    await upload('image', await png());
    proxy.fail(fault);
    await expect(find('image')).rejects.toMatchObject({ code });
    expect(cache.has('image:image')).toBe(false);
    expect(proxy.seen).toHaveLength(1);
    expect(origin.stats().errors).toBe(fault.kind === 'answer' && fault.status === 412 ? 0 : 1);
    expect(await bytesOf(await find('image'))).toEqual(Buffer.from(await png()));
  });

  it('is not asked again before the time that it named', async () => {
    const { find, upload, clock, proxy } = await bench();
    await upload('image', await png());
    proxy.fail({ kind: 'answer', status: 503, headers: { 'retry-after': '20' } });
    await expect(find('image')).rejects.toMatchObject({ code: 'origin_failed' });
    await expect(find('image')).rejects.toMatchObject({ code: 'origin_failed' });
    expect(proxy.seen).toHaveLength(1);
    clock.advance(20_001);
    expect((await find('image'))?.entry.mime).toBe('image/png');
  });

  it('shuts the way to it after several in a row, and one probe opens it again', async () => {
    const { find, upload, clock, proxy } = await bench();
    await upload('image', await png());
    for (let count = 0; count < 6; count += 1) {
      proxy.fail({ kind: 'answer', status: 500 });
      await expect(find('image')).rejects.toMatchObject({ code: 'origin_failed' });
    }
    expect(proxy.seen).toHaveLength(5);
    clock.advance(1001);
    await expect(find('image')).rejects.toMatchObject({ code: 'origin_failed' });
    clock.advance(2001);
    expect((await find('image'))?.entry.mime).toBe('image/png');
  });

  it('does not reach a request that the client has left', async () => {
    const { cache, upload, proxy, origin } = await bench();
    await upload('image', await png());
    proxy.fail({ kind: 'hang' });
    const left = new AbortController();
    const asked = cache.find('image:image', left.signal);
    await eventually(() => proxy.seen.length === 1, 'the request went out');
    left.abort();
    await expect(asked).rejects.toThrow(/abort/i);
    await eventually(() => origin.stats().calls === 1, 'one call');
    expect(origin.stats().errors).toBe(0);
  });

  it('lets what is cached go on while Azure is down, and ends by itself', async () => {
    const { find, upload, clock, cache, azurite } = await bench();
    await upload('cached', await png());
    await find('cached');
    await azurite.stop();
    try {
      expect((await find('cached'))?.entry.mime).toBe('image/png');
      clock.advance(FRESH_MS + 1);
      expect((await find('cached'))?.steps.at(-1)).toMatchObject({ tier: 'azure', outcome: 'stale' });
      await expect(find('other')).rejects.toMatchObject({ code: 'origin_failed' });
    } finally {
      await azurite.start();
    }
    clock.advance(10_000);
    // Azurite in memory forgets: the container is gone with it, which is a failure too.
    expect((await find('cached'))?.steps.at(-1)).toMatchObject({ outcome: 'stale' });
    expect(cache.stats().origin?.errors).toBe(3);
  });
});
