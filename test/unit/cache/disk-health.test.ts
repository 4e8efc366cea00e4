import { describe, expect, it } from 'vitest';
import { createDiskHealth } from '../../../src/cache/disk-health.ts';
import { nobody } from '../../fixtures/signals.ts';

function create() {
  const states: string[] = [];
  const lines: unknown[] = [];
  const say = (...parts: unknown[]): void => void lines.push(parts[1]);
  const health = createDiskHealth({ info: say, warn: say }, (state, reason) => {
    states.push(`${state} ${reason}`.trim());
  });
  return { health, states, lines };
}
const fail = async (): Promise<never> => Promise.reject(new Error('EIO'));
const work = async (): Promise<void> => undefined;

describe('the health of the folder', () => {
  it('is failing while it can not be read or not be written, and says each change once', async () => {
    const { health, states } = create();
    for (let count = 0; count < 3; count += 1) await health.writes.watch(nobody, fail).catch(() => undefined);
    await health.reads.watch(nobody, fail).catch(() => undefined);
    await health.writes.watch(nobody, work);
    await health.reads.watch(nobody, work);
    expect(states).toEqual(['failing EIO', 'working']);
  });

  it('is full when nothing can be evicted for what the budget has room for; failing weighs more', async () => {
    const { health, states, lines } = create();
    health.noteFull(true);
    health.noteFull(true);
    await health.writes.watch(nobody, fail).catch(() => undefined);
    await health.writes.watch(nobody, work);
    health.noteFull(false);
    expect(states).toEqual(['full', 'failing EIO', 'full', 'working']);
    expect(lines).toContain('The disk tier is full and has nothing left to evict');
    expect(lines.at(-1)).toBe('The disk tier has room again');
  });
});
