import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createGuardedTier } from '../../../src/cache/guarded-tier.ts';
import { AppError } from '../../../src/errors.ts';
import { bodyOf, entryOf } from '../../fixtures/entries.ts';
import { createManualClock } from '../../fixtures/manual-clock.ts';
import { createScriptedTier } from '../../fixtures/scripted-tier.ts';
import { nobody } from '../../fixtures/signals.ts';

const OPTIONS = {
  deadlineMs: 200,
  bulkDeadlineMs: 5000,
  breaker: { failuresToOpen: 2, pauseMs: 1000, pauseMsMax: 8000 },
};
const forever = async (): Promise<void> => new Promise(() => undefined);

function create() {
  const clock = createManualClock();
  const tier = createScriptedTier('redis');
  const changes: string[] = [];
  const guarded = createGuardedTier(tier, OPTIONS, {
    clock,
    onChange: (name, to) => changes.push(`${name} ${to}`),
  });
  return { changes, clock, guarded, tier };
}

describe('a guarded tier', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('answers as the tier behind it does', async () => {
    const { guarded } = create();
    const body = bodyOf(1, 10);
    expect(await guarded.put(entryOf('a', body), body, nobody)).toBe(true);
    expect((await guarded.get('a', nobody))?.body).toBe(body);
    expect(guarded.has('a')).toBe(true);
    expect(await guarded.deleteWhere(() => true, nobody)).toBe(1);
    expect(await guarded.delete('a', nobody)).toBe(false);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('gives up a call that hangs, at its deadline', async () => {
    const { guarded, tier } = create();
    tier.before = forever;
    const call = expect(guarded.get('a', nobody)).rejects.toMatchObject({ code: 'storage_unavailable' });
    await vi.advanceTimersByTimeAsync(200);
    await call;
    expect(guarded.stats().errors).toBe(1);
  });

  it('calls a failing tier no more until its pause is over, and says so once', async () => {
    const { changes, clock, guarded, tier } = create();
    tier.before = () => {
      throw new Error('ECONNREFUSED');
    };
    for (let index = 0; index < 10; index += 1) {
      await expect(guarded.get('a', nobody)).rejects.toBeInstanceOf(Error);
    }
    expect(tier.calls).toHaveLength(2);
    expect(changes).toEqual(['redis open']);
    tier.before = () => undefined;
    clock.advance(1000);
    expect(await guarded.get('a', nobody)).toBeUndefined();
    expect(changes).toEqual(['redis open', 'redis half-open', 'redis closed']);
    expect(guarded.breaker()).toMatchObject({ state: 'closed', opened: 1, refused: 8 });
  });

  it('does not hold it against the tier when workers are too busy for what it had', async () => {
    const { guarded, tier } = create();
    tier.before = () => {
      throw new AppError('overloaded');
    };
    for (let index = 0; index < 5; index += 1) {
      await expect(guarded.get('a', nobody)).rejects.toMatchObject({ code: 'overloaded' });
    }
    expect(guarded.breaker()).toMatchObject({ state: 'closed', failures: 0 });
  });

  it('does not hold it against the tier when callers leave', async () => {
    const { guarded, tier } = create();
    tier.before = forever;
    for (let index = 0; index < 5; index += 1) {
      const caller = new AbortController();
      const call = expect(guarded.get('a', caller.signal)).rejects.toThrow('left');
      caller.abort(new Error('left'));
      await call;
    }
    expect(guarded.breaker()).toMatchObject({ state: 'closed', failures: 0 });
    expect(vi.getTimerCount()).toBe(0);
  });
});
