import { beforeEach, describe, expect, it } from 'vitest';
import { bodyOf, entryOf } from '../../fixtures/entries.ts';
import { openFallbackBench, type FallbackBench } from '../../fixtures/fallback-bench.ts';
import { nobody } from '../../fixtures/signals.ts';

let bench: FallbackBench;
const [first, second] = [bodyOf(1, 10), bodyOf(2, 10)];

beforeEach(() => {
  bench = openFallbackBench();
});

describe('what ran out while the primary was away', () => {
  async function putForAWhile(key: string, body: Uint8Array): Promise<void> {
    bench.clock.advance(1);
    await bench.tier.put(entryOf(key, body, { storedAtMs: bench.clock.nowMs() }), body, nobody);
    // As its ttl would have it.
    bench.disk.held.delete(key);
  }

  it('does not bring back what it had replaced', async () => {
    await bench.put('image:a', first);
    bench.away();
    await bench.fail(5);
    await putForAWhile('image:a', second);
    bench.back();
    await bench.tier.catchUp();
    expect(await bench.read('image:a')).toBeUndefined();
    expect(bench.redis.held.has('image:a')).toBe(false);
  });

  it('leaves alone what another program has put since', async () => {
    await bench.put('image:a', first);
    bench.away();
    await bench.fail(5);
    await putForAWhile('image:a', second);
    bench.back();
    const theirs = bodyOf(3, 10);
    bench.clock.advance(1);
    bench.redis.held.set('image:a', {
      entry: entryOf('image:a', theirs, { storedAtMs: bench.clock.nowMs() }),
      body: theirs,
    });
    await bench.tier.catchUp();
    expect(await bench.read('image:a')).toEqual(theirs);
  });
});
