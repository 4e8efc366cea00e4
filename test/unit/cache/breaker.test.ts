import { describe, expect, it } from 'vitest';
import { createBreaker } from '../../../src/cache/breaker.ts';
import { createManualClock } from '../../fixtures/manual-clock.ts';

const OPTIONS = { failuresToOpen: 3, pauseMs: 1000, pauseMsMax: 4000 };

function create() {
  const clock = createManualClock();
  const changes: string[] = [];
  const breaker = createBreaker(OPTIONS, clock, (to, from) => changes.push(`${from} > ${to}`));
  const call = (outcome: 'ok' | 'failed' | 'neutral'): boolean => {
    const pass = breaker.enter();
    pass?.settle(outcome);
    return pass !== undefined;
  };
  const fail = (times: number): void => {
    for (let index = 0; index < times; index += 1) call('failed');
  };
  return { breaker, call, changes, clock, fail };
}

describe('a breaker', () => {
  it('opens after several failures in a row, and tells once', () => {
    const { breaker, call, changes, fail } = create();
    fail(2);
    expect(call('ok')).toBe(true);
    fail(2);
    expect(breaker.stats().state).toBe('closed');
    fail(1);
    expect(call('ok')).toBe(false);
    expect(call('ok')).toBe(false);
    expect(changes).toEqual(['closed > open']);
    expect(breaker.stats()).toMatchObject({ state: 'open', failures: 5, opened: 1, refused: 2 });
  });

  it('lets one call probe after the pause, and closes when that goes well', () => {
    const { breaker, call, changes, clock, fail } = create();
    fail(3);
    clock.advance(999);
    expect(breaker.enter()).toBeUndefined();
    clock.advance(1);
    const probe = breaker.enter();
    expect(probe).toBeDefined();
    expect(breaker.enter()).toBeUndefined();
    probe?.settle('ok');
    expect(call('ok')).toBe(true);
    expect(changes).toEqual(['closed > open', 'open > half-open', 'half-open > closed']);
  });

  it('doubles its pause with each probe that fails, up to its longest, and starts over after a good time', () => {
    const { breaker, call, clock, fail } = create();
    fail(3);
    for (const pauseMs of [1000, 2000, 4000, 4000]) {
      clock.advance(pauseMs - 1);
      expect(breaker.enter()).toBeUndefined();
      clock.advance(1);
      expect(call('failed')).toBe(true);
    }
    clock.advance(4000);
    call('ok');
    fail(3);
    clock.advance(1000);
    expect(call('ok')).toBe(true);
  });

  it('lets another call probe when the first was given up by its caller', () => {
    const { call, clock, fail } = create();
    fail(3);
    clock.advance(1000);
    expect(call('neutral')).toBe(true);
    expect(call('ok')).toBe(true);
    expect(call('ok')).toBe(true);
  });

  it('takes no notice of late answers to calls from before it opened', () => {
    const { breaker, fail } = create();
    const [slow, slower] = [breaker.enter(), breaker.enter()];
    fail(3);
    slow?.settle('ok');
    slower?.settle('failed');
    expect(breaker.stats()).toMatchObject({ state: 'open', opened: 1 });
  });
});
