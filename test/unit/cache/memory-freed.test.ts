import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { beforeAll, describe, expect, it } from 'vitest';
import { createMemoryTier, type MemoryTier } from '../../../src/cache/memory-tier.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { entryOf } from '../../fixtures/entries.ts';

const MIB = 1024 * 1024;
const EMPTY = new Uint8Array(0);
let collect: () => void;

beforeAll(() => {
  // As --expose-gc would at start: gc() appears in contexts made from now on.
  setFlagsFromString('--expose-gc');
  collect = runInNewContext('gc');
});

/** MiB in array buffers that are still reachable. */
async function heldMib(): Promise<number> {
  for (let round = 0; round < 3; round += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
  return process.memoryUsage().arrayBuffers / MIB;
}

function fill(memory: MemoryTier, count: number): void {
  for (let index = 0; index < count; index += 1) {
    const body = new Uint8Array(MIB);
    memory.put({ ...entryOf(`image:${index}`, EMPTY), bytes: MIB }, body);
  }
}

describe.each(['lru', 'sieve'] as const)('bytes that the memory tier with %s let go', (policy) => {
  const create = (limitBytes: number): MemoryTier =>
    createMemoryTier({ limitBytes, limitEntries: 1000, policy }, systemClock);

  it('are free after delete, after clear and after replacing', async () => {
    const before = await heldMib();
    const memory = create(200 * MIB);
    fill(memory, 100);
    expect((await heldMib()) - before).toBeGreaterThan(95);
    for (let index = 0; index < 100; index += 1) memory.delete(`image:${index}`);
    expect((await heldMib()) - before).toBeLessThan(2);
    fill(memory, 100);
    fill(memory, 100);
    expect((await heldMib()) - before).toBeLessThan(105);
    memory.clear();
    expect((await heldMib()) - before).toBeLessThan(2);
    expect(memory.stats().entries).toBe(0);
  });

  it('are free after eviction', async () => {
    const before = await heldMib();
    const memory = create(10 * MIB);
    fill(memory, 100);
    expect((await heldMib()) - before).toBeLessThan(12);
    expect(memory.stats().evictions).toBeGreaterThan(85);
  });
});
