import { describe, expect, it } from 'vitest';
import { createMemoryTier, type MemoryTier } from '../../../src/cache/memory-tier.ts';
import { bodyOf, entryOf } from '../../fixtures/entries.ts';
import { createManualClock } from '../../fixtures/manual-clock.ts';

const KIB = 1024;

function create(limitBytes: number, more: { limitEntries?: number; policy?: 'lru' | 'sieve' } = {}) {
  const clock = createManualClock();
  const memory = createMemoryTier({ limitBytes, limitEntries: 10_000, ...more }, clock);
  return { clock, memory };
}

function put(memory: MemoryTier, key: string, bytes: number, seed = 1): void {
  const body = bodyOf(seed, bytes);
  memory.put(entryOf(key, body), body);
}

describe('the memory tier', () => {
  it('stays within its bytes by letting the least recently used go', () => {
    const { memory } = create(100 * KIB);
    for (const key of ['a', 'b', 'c', 'd']) put(memory, key, 20 * KIB);
    memory.get('a');
    put(memory, 'e', 20 * KIB);
    expect(memory.keys()).toEqual(['e', 'a', 'd', 'c']);
    expect(memory.stats()).toMatchObject({ entries: 4, evictions: 1 });
    expect(memory.stats().bytes).toBeLessThanOrEqual(100 * KIB);
  });

  it('does not count a peek as a use, nor as a hit', () => {
    const { memory } = create(100 * KIB);
    for (const key of ['a', 'b', 'c', 'd']) put(memory, key, 20 * KIB);
    expect(memory.peek('a')).toBeDefined();
    put(memory, 'e', 20 * KIB);
    expect(memory.peek('a')).toBeUndefined();
    expect(memory.stats().hits).toBe(0);
  });

  it('keeps what is used again through a run of entries that are used once, with SIEVE', () => {
    const { memory } = create(100 * KIB, { policy: 'sieve' });
    put(memory, 'kept', 20 * KIB);
    memory.get('kept');
    for (let index = 0; index < 6; index += 1) put(memory, `once-${index}`, 20 * KIB);
    expect(memory.peek('kept')).toBeDefined();
    expect(memory.stats().entries).toBe(4);
  });

  it('refuses a body over a quarter of the budget, and forgets what its key had', () => {
    const { memory } = create(100 * KIB);
    put(memory, 'a', 25 * KIB);
    expect(memory.peek('a')).toBeDefined();
    put(memory, 'a', 25 * KIB + 1);
    expect(memory.peek('a')).toBeUndefined();
    expect(memory.stats()).toMatchObject({ entries: 0, bytes: 0 });
  });

  it('lets no crowd of tiny values escape the budget', () => {
    const { memory } = create(100 * KIB);
    for (let index = 0; index < 1000; index += 1) put(memory, `cache:${index}`, 1);
    expect(memory.stats().entries).toBeLessThan(200);
  });

  it('holds no more entries than it may', () => {
    const { memory } = create(1000 * KIB, { limitEntries: 3 });
    for (const key of ['a', 'b', 'c', 'd', 'e']) put(memory, key, 10);
    expect(memory.keys()).toEqual(['e', 'd', 'c']);
  });

  it('takes a view to its own size, so that the buffer behind it is not kept alive', () => {
    const { memory } = create(1000 * KIB);
    const view = bodyOf(1, 200 * KIB).subarray(10, 20);
    const hot = memory.put(entryOf('a', view), view);
    expect(hot?.body).toEqual(view);
    expect(hot?.body.buffer.byteLength).toBe(10);
  });

  it('keeps a body that owns its buffer without copying it', () => {
    const { memory } = create(1000 * KIB);
    const body = bodyOf(1, 100);
    expect(memory.put(entryOf('a', body), body)?.body).toBe(body);
  });

  it('gives the same object for an entry each time: the transport keeps its headers there', () => {
    const { memory } = create(100 * KIB);
    put(memory, 'a', 10);
    expect(memory.get('a')).toBe(memory.get('a'));
  });

  it('counts no byte of what was replaced, deleted or cleared', () => {
    const { memory } = create(100 * KIB);
    put(memory, 'a', 1000);
    const once = memory.stats().bytes;
    put(memory, 'a', 1000, 2);
    expect(memory.stats().bytes).toBe(once);
    put(memory, 'b', 1000);
    memory.delete('a');
    expect(memory.stats().bytes).toBe(once);
    memory.clear();
    expect(memory.stats()).toMatchObject({ entries: 0, bytes: 0 });
    put(memory, 'c', 1000);
    expect(memory.stats().bytes).toBe(once);
  });

  it('counts right even when a body was transferred away', () => {
    const { memory } = create(100 * KIB);
    const body = bodyOf(1, 1000);
    memory.put(entryOf('a', body), body);
    structuredClone(body.buffer, { transfer: [body.buffer] });
    memory.delete('a');
    expect(memory.stats().bytes).toBe(0);
  });

  it('drops the renderings of bytes that an image does not have any more, and keeps those it has', () => {
    const { memory } = create(100 * KIB);
    const [before, after] = [bodyOf(1, 10), bodyOf(2, 10)];
    memory.put(entryOf('image:a', before), before);
    const { version } = entryOf('image:a', before);
    memory.put(entryOf('variant:a', before, { parent: 'image:a', parentVersion: version }), before);
    memory.put(entryOf('image:a', before), before);
    expect(memory.peek('variant:a')).toBeDefined();
    memory.put(entryOf('image:a', after), after);
    expect(memory.peek('variant:a')).toBeUndefined();
  });

  it('takes no entry that has expired already', () => {
    const { memory, clock } = create(100 * KIB);
    const body = bodyOf(1, 10);
    expect(memory.put(entryOf('a', body, { expiresAtMs: clock.nowMs() }), body)).toBeUndefined();
  });

  it('removes ten thousands of keys by test without holding the loop', async () => {
    const { memory } = create(100_000 * KIB, { limitEntries: 30_000 });
    for (let index = 0; index < 30_000; index += 1) put(memory, `cache:${index}`, 1);
    let turns = 0;
    const count = (): void => {
      turns += 1;
      handle = setImmediate(count);
    };
    let handle = setImmediate(count);
    expect(await memory.deleteWhere((key) => key.endsWith('7'))).toBe(3000);
    clearImmediate(handle);
    expect(turns).toBeGreaterThanOrEqual(2);
    expect(memory.stats().entries).toBe(27_000);
  });
});
