import { describe, expect, it } from 'vitest';
import { ATTENTION_ROWS, createAttention, HIT_SAMPLE } from '../../../src/observe/attention.ts';
import { mergeAttention } from '../../../src/observe/merge-attention.ts';
import { createManualClock } from '../../fixtures/manual-clock.ts';

const NOW = Date.parse('2026-11-20T10:00:00Z');

describe('slow requests', () => {
  it('are the slowest of the last fifteen minutes, and no more than fit a table', () => {
    const clock = createManualClock(NOW);
    const attention = createAttention(clock);
    for (let ms = 1; ms <= 200; ms += 1) attention.answered('GET', `/images/${ms}`, 200, ms);
    const { slow_requests: slow } = attention.lists();
    expect(slow).toHaveLength(ATTENTION_ROWS);
    expect(slow[0]).toEqual({
      at: '2026-11-20T10:00:00.000Z',
      method: 'GET',
      path: '/images/200',
      status: 200,
      ms: 200,
    });
    clock.advance(16 * 60_000);
    expect(attention.lists().slow_requests).toEqual([]);
    attention.answered('PUT', '/images/a', 503, 60);
    expect(attention.lists().slow_requests.map(({ ms }) => ms)).toEqual([60]);
  });

  it('leave out what took no time', () => {
    const attention = createAttention(createManualClock(NOW));
    attention.answered('GET', '/images/a', 200, 49);
    expect(attention.lists().slow_requests).toEqual([]);
  });
});

it('failures are counted by code, the latest first', () => {
  const clock = createManualClock(NOW);
  const attention = createAttention(clock);
  attention.failed('overloaded');
  clock.advance(1000);
  attention.failed('internal');
  attention.failed('internal');
  expect(attention.lists().failing).toEqual([
    { code: 'internal', count: 2, last: '2026-11-20T10:00:01.000Z' },
    { code: 'overloaded', count: 1, last: '2026-11-20T10:00:00.000Z' },
  ]);
});

describe('hot images', () => {
  it('are found among any number of others that are not', () => {
    const attention = createAttention(createManualClock(NOW));
    for (let at = 0; at < 6000; at += 1) {
      attention.hit(`/images/once-${at}`);
      if (at % 5 === 0) attention.hit('/images/hot');
    }
    const { hot_images: hot } = attention.lists();
    expect(hot).toHaveLength(ATTENTION_ROWS);
    expect(hot[0]).toEqual({ path: '/images/hot', hits: expect.any(Number) });
    expect(hot[0]?.hits).toBeGreaterThanOrEqual(1200 * HIT_SAMPLE);
  });

  it('make room for what is hot now', () => {
    const attention = createAttention(createManualClock(NOW));
    for (let at = 0; at < 3000; at += 1) attention.hit('/images/yesterday');
    for (let at = 0; at < 20_000; at += 1) attention.hit('/images/today');
    expect(attention.lists().hot_images[0]?.path).toBe('/images/today');
  });
});

it('what was evicted last comes first', () => {
  const attention = createAttention(createManualClock(NOW));
  for (let at = 0; at < 1000; at += 1) attention.evicted(`image:${at}`);
  const { evicted } = attention.lists();
  expect(evicted.map(({ key }) => key).slice(0, 2)).toEqual(['image:999', 'image:998']);
  expect(evicted).toHaveLength(ATTENTION_ROWS);
});

it('the lists of several processes are one', () => {
  const clock = createManualClock(NOW);
  const [one, two] = [createAttention(clock), createAttention(clock)];
  for (const each of [one, two]) {
    each.failed('internal');
    each.hit('/images/a');
  }
  one.answered('GET', '/slow', 200, 70);
  two.answered('GET', '/slower', 200, 90);
  two.evicted('image:b');
  expect(mergeAttention([one.lists(), two.lists()])).toMatchObject({
    slow_requests: [{ path: '/slower' }, { path: '/slow' }],
    failing: [{ code: 'internal', count: 2 }],
    hot_images: [{ path: '/images/a', hits: 2 * HIT_SAMPLE }],
    evicted: [{ key: 'image:b' }],
  });
});
