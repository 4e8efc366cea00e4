import { describe, expect, it } from 'vitest';
import { createBreaker } from '../../../src/cache/breaker.ts';
import { createOriginGate } from '../../../src/origin/origin-gate.ts';
import { createManualClock } from '../../fixtures/manual-clock.ts';

function create() {
  const clock = createManualClock();
  const changes: string[] = [];
  const limits = { failuresToOpen: 2, pauseMs: 1000, pauseMsMax: 1000 };
  const breaker = createBreaker(limits, clock, (to) => changes.push(to));
  return { gate: createOriginGate(breaker, clock), breaker, clock, changes };
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
});
