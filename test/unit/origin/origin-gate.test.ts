import { describe, expect, it } from 'vitest';
import { createBreaker } from '../../../src/cache/breaker.ts';
import { createOriginGate } from '../../../src/origin/origin-gate.ts';
import { createManualClock } from '../../fixtures/manual-clock.ts';

function create() {
  const clock = createManualClock();
  const changes: string[] = [];
  const limits = { failuresToOpen: 2, pauseMs: 1000, pauseMsMax: 1000 };
  const breaker = createBreaker(limits, clock, (to) => changes.push(to));
  const notes: string[] = [];
  const gate = createOriginGate(breaker, clock, {
    held: (ms) => notes.push(`held ${ms}`),
    denied: (reason) => notes.push(`denied ${reason}`),
  });
  return { gate, breaker, clock, changes, notes };
}

describe('the gate before an origin', () => {
  it('stays shut for the time that the origin asked for, but never longer than a minute', () => {
    const { gate, clock } = create();
    gate.enter().failed(20_000);
    clock.advance(19_999);
    expect(() => gate.enter()).toThrow(/origin_failed/);
    clock.advance(1);
    gate.enter().failed(86_400_000);
    clock.advance(60_000);
    expect(() => gate.enter()).not.toThrow();
  });

  it('counts a body that breaks off after a good beginning as a failure', () => {
    const { gate, breaker, changes } = create();
    for (let count = 0; count < 2; count += 1) {
      const pass = gate.enter();
      pass.succeeded();
      pass.failed(0);
    }
    expect(breaker.stats().failures).toBe(2);
    expect(changes).toEqual([]);
  });

  it('lets the next one probe when a probe was given up', () => {
    const { gate, clock, changes } = create();
    gate.enter().failed(0);
    gate.enter().failed(0);
    expect(() => gate.enter()).toThrow(/origin_failed/);
    clock.advance(1000);
    gate.enter().givenUp();
    gate.enter().succeeded();
    expect(changes).toEqual(['open', 'half-open', 'closed']);
  });

  it('says once that it is left alone, and once that this is over', () => {
    const { gate, clock, notes } = create();
    const [first, second] = [gate.enter(), gate.enter()];
    first.failed(5000);
    second.failed(5000);
    expect(() => gate.enter()).toThrow(/origin_failed/);
    expect(notes).toEqual(['held 5000']);
    clock.advance(6000);
    gate.enter().succeeded();
    gate.enter().succeeded();
    expect(notes).toEqual(['held 5000', 'held 0']);
  });

  it('says once that it may do nothing there, without a breaker opening for it', () => {
    const { gate, changes, notes } = create();
    for (let count = 0; count < 5; count += 1) gate.enter().denied('no such container');
    gate.enter().succeeded();
    gate.enter().succeeded();
    expect(notes).toEqual(['denied no such container', 'denied ']);
    expect(changes).toEqual([]);
  });
});
