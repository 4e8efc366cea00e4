import { describe, expect, it } from 'vitest';
import { createGate } from '../../../src/cache/gate.ts';
import { createLatch } from '../../fixtures/latch.ts';
import { nobody, turn } from '../../fixtures/signals.ts';

describe('a gate', () => {
  it('never lets more through than it may, and everybody in the end', async () => {
    const gate = createGate(3);
    let inside = 0;
    let most = 0;
    const done = Array.from({ length: 50 }, async () =>
      gate.run(nobody, async () => {
        inside += 1;
        most = Math.max(most, inside);
        await turn();
        inside -= 1;
      }),
    );
    await Promise.all(done);
    expect(most).toBe(3);
  });

  it('gives the place of a waiter that left, and of work that failed, to the next', async () => {
    const gate = createGate(1);
    const leaver = new AbortController();
    const broken = gate.run(nobody, async () => {
      await turn();
      throw new Error('broken');
    });
    const left = gate.run(leaver.signal, async () => 'never');
    const last = gate.run(nobody, async () => 'through');
    leaver.abort(new Error('left'));
    await expect(left).rejects.toThrow('left');
    await expect(broken).rejects.toThrow('broken');
    expect(await last).toBe('through');
    expect(await gate.run(nobody, async () => 'again')).toBe('again');
  });

  it('loses no place when a waiter is called and leaves in the same turn', async () => {
    const gate = createGate(1);
    const leaver = new AbortController();
    const latch = createLatch();
    const first = gate.run(nobody, async () => latch.opened);
    await turn();
    const second = gate.run(leaver.signal, async () => 'second').catch(() => 'left');
    await turn();
    latch.open();
    leaver.abort(new Error('left'));
    await first;
    await second;
    expect(await gate.run(nobody, async () => 'through')).toBe('through');
  });
});
