import { expect, test } from 'vitest';
import { createHealthChanges } from '../../../src/observe/health-changes.ts';
import { createManualClock } from '../../fixtures/manual-clock.ts';

const iso = (ms: number): string => new Date(ms).toISOString();

function open() {
  const clock = createManualClock(1000);
  return { clock, health: createHealthChanges(clock) };
}

test('each part has its last state, and the changes are listed newest first with their reason', () => {
  const { clock, health } = open();
  health.note('events-bus', 'shared');
  clock.advance(500);
  health.note('redis-backend', 'fallback', 'ECONNREFUSED');
  clock.advance(500);
  health.note('events-bus', 'local', 'timeout');
  expect(health.list()).toEqual({
    parts: [
      { part: 'events-bus', state: 'local', up: false, since: iso(2000) },
      { part: 'redis-backend', state: 'fallback', up: false, since: iso(1500) },
    ],
    changes: [
      { at: iso(2000), part: 'events-bus', state: 'local', reason: 'timeout' },
      { at: iso(1500), part: 'redis-backend', state: 'fallback', reason: 'ECONNREFUSED' },
      { at: iso(1000), part: 'events-bus', state: 'shared', reason: '' },
    ],
  });
});

test('what is said again is no change, and the part stays as long as it was', () => {
  const { clock, health } = open();
  health.note('invalidation', 'armed');
  clock.advance(9000);
  health.note('invalidation', 'armed');
  expect(health.list().changes).toHaveLength(1);
  expect(health.list().parts[0]?.since).toBe(iso(1000));
});

test('the probes of an open breaker are seen while they run, but the list keeps the outage, not them', () => {
  const { clock, health } = open();
  health.note('breaker', 'closed');
  clock.advance(1000);
  health.note('breaker', 'open');
  for (let i = 0; i < 100; i++) {
    clock.advance(1000);
    health.note('breaker', 'half-open');
    expect(health.list().parts).toEqual([
      { part: 'breaker', state: 'half-open', up: false, since: iso(2000) },
    ]);
    health.note('breaker', 'open');
  }
  health.note('breaker', 'half-open');
  health.note('breaker', 'closed');
  const { changes, parts } = health.list();
  expect(changes.map(({ state }) => state)).toEqual(['closed', 'open', 'closed']);
  expect(parts).toEqual([{ part: 'breaker', state: 'closed', up: true, since: iso(102_000) }]);
});

test.each(['closed', 'primary', 'armed', 'shared'] as const)('%s is up', (state) => {
  const { health } = open();
  health.note('part', state);
  expect(health.list().parts[0]?.up).toBe(true);
});

test.each(['open', 'fallback', 'lost', 'local'] as const)('%s is not up', (state) => {
  const { health } = open();
  health.note('part', state);
  expect(health.list().parts[0]?.up).toBe(false);
});

test('a part that flaps leaves the last fifty changes, and short reasons', () => {
  const { health } = open();
  for (let i = 0; i < 60; i++)
    health.note('bus', i % 2 === 0 ? 'shared' : 'local', `${i} ${'x'.repeat(5000)}`);
  const { changes } = health.list();
  expect(changes).toHaveLength(50);
  expect([changes[0]?.reason.slice(0, 3), changes.at(-1)?.reason.slice(0, 3)]).toEqual(['59 ', '10 ']);
  expect(Math.max(...changes.map(({ reason }) => reason.length))).toBe(200);
});
