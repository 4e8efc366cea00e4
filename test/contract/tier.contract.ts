/**
 * What every tier keeps, whatever holds its bytes: one suite, run by each implementation. A tier that
 * expires by a clock of its own (Redis) says so, and the tests of expiry wait for that.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Tier } from '../../src/cache/tier.ts';
import { isWhole, type Stored } from '../../src/core/entry.ts';
import { bodyOf, entryOf } from '../fixtures/entries.ts';
import { nobody } from '../fixtures/signals.ts';

export interface TierUnderTest {
  readonly tier: Tier;
  nowMs(): number;
  /** Moves the tier's time on. */
  pass(ms: number): Promise<void>;
  /** Where stats lag behind what was done: catches up. */
  refresh?(): Promise<void>;
  dispose(): Promise<void>;
}

export async function bytesOf(stored: Stored): Promise<Uint8Array> {
  if (isWhole(stored.body)) return stored.body;
  const pieces: Uint8Array[] = [];
  for await (const piece of stored.body.read(0, stored.entry.bytes - 1, nobody)) pieces.push(piece);
  return new Uint8Array(Buffer.concat(pieces));
}

export function describeTier(title: string, create: () => Promise<TierUnderTest>): void {
  describe(`${title} as a tier`, () => {
    let under: TierUnderTest;
    let tier: Tier;
    const signal = nobody;

    beforeEach(async () => {
      under = await create();
      tier = under.tier;
    });
    afterEach(async () => under.dispose());

    async function read(key: string): Promise<Uint8Array | undefined> {
      const stored = await tier.get(key, signal);
      return stored === undefined ? undefined : bytesOf(stored);
    }

    it('gives back the entry and the bytes that were put', async () => {
      const body = bodyOf(1, 70_000);
      const image = { width: 3, height: 4, frames: 1, thumbhash: 'aGFzaA==', thumbnail: 'dGh1bWI=' };
      const entry = entryOf('image:a/b c', body, {
        image,
        topics: ['job:42'],
        meta: { step: [1, 'x', null] },
      });
      expect(await tier.put(entry, body, signal)).toBe(true);
      const stored = await tier.get('image:a/b c', signal);
      expect(stored?.entry).toEqual(entry);
      expect(Buffer.from((await read('image:a/b c')) ?? []).equals(body)).toBe(true);
    });

    it('misses what was never put, and counts it', async () => {
      expect(await tier.get('image:none', signal)).toBeUndefined();
      expect(tier.stats()).toMatchObject({ hits: 0, misses: 1 });
    });

    it('keeps an empty body', async () => {
      const body = new Uint8Array(0);
      expect(await tier.put(entryOf('cache:empty', body), body, signal)).toBe(true);
      expect(await read('cache:empty')).toEqual(body);
    });

    it('gives the newest of two values of a key', async () => {
      const [first, second] = [bodyOf(1, 5000), bodyOf(2, 100)];
      await tier.put(entryOf('image:a', first), first, signal);
      await tier.put(entryOf('image:a', second), second, signal);
      expect(await read('image:a')).toEqual(second);
      await under.refresh?.();
      expect(tier.stats().entries).toBe(1);
    });

    it('keeps keys apart that differ in one character only', async () => {
      const keys = [
        'image:a',
        'image:A',
        'image:a ',
        'image:ä',
        'image:__proto__',
        'image:../a',
        'partial:a',
      ];
      for (const [seed, key] of keys.entries()) {
        const body = bodyOf(seed, 64);
        await tier.put(entryOf(key, body), body, signal);
      }
      for (const [seed, key] of keys.entries()) expect(await read(key)).toEqual(bodyOf(seed, 64));
    });

    it('gives bodies that own exactly their bytes', async () => {
      const pool = bodyOf(3, 9000);
      const view = pool.subarray(100, 1100);
      await tier.put(entryOf('image:view', view), view, signal);
      const stored = await tier.get('image:view', signal);
      const body = stored !== undefined && isWhole(stored.body) ? stored.body : new Uint8Array(0);
      expect(body.byteLength).toBe(1000);
      expect(body.buffer.byteLength).toBe(1000);
    });

    it('deletes a key, and says whether it was there', async () => {
      const body = bodyOf(1, 100);
      await tier.put(entryOf('image:a', body), body, signal);
      expect(await tier.delete('image:a', signal)).toBe(true);
      expect(await tier.get('image:a', signal)).toBeUndefined();
      expect(await tier.delete('image:a', signal)).toBe(false);
      await under.refresh?.();
      expect(tier.stats().entries).toBe(0);
    });

    it('deletes the renderings of a key with it, and no others', async () => {
      const body = bodyOf(1, 100);
      await tier.put(entryOf('image:a', body), body, signal);
      await tier.put(entryOf('variant:1:a', body, { parent: 'image:a' }), body, signal);
      await tier.put(entryOf('variant:2:a', body, { parent: 'image:a' }), body, signal);
      await tier.put(entryOf('variant:1:b', body, { parent: 'image:b' }), body, signal);
      await tier.delete('image:a', signal);
      expect(await tier.get('variant:1:a', signal)).toBeUndefined();
      expect(await tier.get('variant:2:a', signal)).toBeUndefined();
      expect(await tier.get('variant:1:b', signal)).toBeDefined();
    });

    it('deletes by test, and says how many', async () => {
      const body = bodyOf(1, 100);
      for (const key of ['cache:p:1', 'cache:p:2', 'cache:q:1'])
        await tier.put(entryOf(key, body), body, signal);
      expect(await tier.deleteWhere((key) => key.startsWith('cache:p:'), signal)).toBe(2);
      expect(await tier.get('cache:p:1', signal)).toBeUndefined();
      expect(await tier.get('cache:q:1', signal)).toBeDefined();
    });

    it('forgets an entry at its expiry, and not before', async () => {
      const body = bodyOf(1, 100);
      await tier.put(entryOf('image:a', body, { expiresAtMs: under.nowMs() + 400 }), body, signal);
      await under.pass(150);
      expect(await tier.get('image:a', signal)).toBeDefined();
      await under.pass(300);
      expect(await tier.get('image:a', signal)).toBeUndefined();
      expect(await tier.delete('image:a', signal)).toBe(false);
    });

    it('counts hits and bytes', async () => {
      const body = bodyOf(1, 3000);
      await tier.put(entryOf('image:a', body), body, signal);
      await tier.get('image:a', signal);
      await tier.get('image:a', signal);
      await under.refresh?.();
      const { hits, entries, bytes, name } = tier.stats();
      expect({ hits, entries, name }).toEqual({ hits: 2, entries: 1, name: tier.name });
      expect(bytes).toBeGreaterThanOrEqual(3000);
    });

    it('ends with one of the values when two writers and a deleter meet, whole', async () => {
      const bodies = [bodyOf(1, 20_000), bodyOf(2, 30_000), bodyOf(3, 10)];
      const puts = bodies.map(async (body) => tier.put(entryOf('image:a', body), body, signal));
      await Promise.all([...puts, tier.delete('image:a', signal)]);
      const last = await read('image:a');
      if (last !== undefined) expect(bodies.some((body) => Buffer.from(body).equals(last))).toBe(true);
      await under.refresh?.();
      expect(tier.stats().entries).toBe(last === undefined ? 0 : 1);
    });

    it('does nothing for a caller that has left', async () => {
      const body = bodyOf(1, 100);
      const left = AbortSignal.abort(new Error('left'));
      await expect(tier.get('image:a', left)).rejects.toThrow('left');
      await expect(tier.put(entryOf('image:a', body), body, left)).rejects.toThrow('left');
      expect(await tier.get('image:a', signal)).toBeUndefined();
    });
  });
}
