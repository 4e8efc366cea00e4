import { describe, expect, it } from 'vitest';
import { createKeyedLock } from '../../../src/cache/keyed-lock.ts';
import { createLatch } from '../../fixtures/latch.ts';
import { nobody, turn } from '../../fixtures/signals.ts';

function createStep(order: string[], name: string) {
  const latch = createLatch();
  const work = async (): Promise<void> => {
    order.push(`${name} begins`);
    await latch.opened;
    order.push(`${name} ends`);
  };
  return { work, release: latch.open };
}

describe('a keyed lock', () => {
  it('runs the work of one key in order, also after a failure', async () => {
    const locks = createKeyedLock();
    const order: string[] = [];
    const first = createStep(order, '1');
    const runs = [
      locks.run('a', nobody, first.work),
      locks.run('a', nobody, async () => {
        order.push('2 fails');
        throw new Error('broken');
      }),
      locks.run('a', nobody, async () => order.push('3')),
    ];
    const settled = Promise.allSettled(runs);
    await turn();
    expect(order).toEqual(['1 begins']);
    first.release();
    expect((await settled).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(order).toEqual(['1 begins', '1 ends', '2 fails', '3']);
  });

  it('runs different keys side by side', async () => {
    const locks = createKeyedLock();
    const order: string[] = [];
    const [a, b] = [createStep(order, 'a'), createStep(order, 'b')];
    const runs = [locks.run('a', nobody, a.work), locks.run('b', nobody, b.work)];
    await turn();
    expect(order).toEqual(['a begins', 'b begins']);
    a.release();
    b.release();
    await Promise.all(runs);
  });

  it('lets a waiter leave without letting the one behind it through early', async () => {
    const locks = createKeyedLock();
    const order: string[] = [];
    const first = createStep(order, '1');
    const leaver = new AbortController();
    const runs = [
      locks.run('a', nobody, first.work),
      locks.run('a', leaver.signal, async () => order.push('2')),
      locks.run('a', nobody, async () => order.push('3')),
    ];
    const settled = Promise.allSettled(runs);
    await turn();
    leaver.abort(new Error('left'));
    await expect(runs[1]).rejects.toThrow('left');
    await turn();
    expect(order).toEqual(['1 begins']);
    first.release();
    await settled;
    expect(order).toEqual(['1 begins', '1 ends', '3']);
  });

  it('holds nothing for keys that nobody works on', async () => {
    const locks = createKeyedLock();
    const first = createStep([], '1');
    const run = locks.run('a', nobody, first.work);
    expect(locks.busyKeys()).toEqual(['a']);
    first.release();
    await run;
    await turn();
    expect(locks.busyKeys()).toEqual([]);
  });
});
