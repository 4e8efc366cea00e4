import { describe, expect, it } from 'vitest';
import { compareCursors } from '../../../src/core/cursor.ts';
import type { EventDraft } from '../../../src/core/event.ts';
import { createLocalBus } from '../../../src/events/local-bus.ts';
import { finalOf, partialOf } from '../../fixtures/events.ts';

const START_MS = 1_700_000_000_000;

function setUp(limits: { limitEvents?: number; limitBytes?: number; maxAgeMs?: number } = {}) {
  const time = { ms: START_MS };
  const clock = { nowMs: () => time.ms };
  const bus = createLocalBus({ limitEvents: 100, limitBytes: 1e6, maxAgeMs: 60_000, ...limits }, clock);
  const publish = async (draft: EventDraft): Promise<string> => (await bus.publish(draft)).cursor;
  const ids = async (filters: string[], since: string): Promise<string[]> =>
    (await bus.replay(filters, since)).events.map(({ data, name }) =>
      name === 'image.partial' ? `${data.id}/${data.partial_index}` : data.id,
    );
  const gap = async (filters: string[], since: string) => (await bus.replay(filters, since)).gap;
  return { bus, time, publish, ids, gap };
}

describe('createLocalBus', () => {
  it('gives every event a later cursor, even when the clock stands still or goes back', async () => {
    const { bus, time, publish } = setUp();
    const cursors = [bus.head()];
    for (const ms of [START_MS, START_MS, START_MS - 5000, START_MS + 1]) {
      time.ms = ms;
      cursors.push(await publish(finalOf('a')));
    }
    expect(cursors).toEqual(cursors.toSorted(compareCursors));
    expect(new Set(cursors).size).toBe(5);
    expect(bus.head()).toBe(cursors.at(-1));
  });

  it('hands each event to its listener with the topic of its image first, and none twice', async () => {
    const { bus } = setUp();
    const heard: (readonly string[])[] = [];
    bus.listen(
      ({ topics }) => heard.push(topics),
      () => {},
    );
    await bus.publish(finalOf('a/b', ['job:1', 'job:1', 'image:a/b']));
    expect(heard).toEqual([['image:a/b', 'job:1']]);
    await bus.close();
    await bus.publish(finalOf('b'));
    expect(heard).toHaveLength(1);
  });

  it('replays what the filters match after a cursor, in order, each once', async () => {
    const { bus, publish, ids } = setUp();
    const start = bus.head();
    const first = await publish(finalOf('a', ['job:1', 'job:2']));
    await publish(finalOf('b', ['user:1']));
    await publish(finalOf('c', ['job:2']));
    await publish(finalOf('d', ['job:1']));
    expect(await ids(['job:1', 'job:2', 'job:*'], start)).toEqual(['a', 'c', 'd']);
    expect(await ids(['job:1'], first)).toEqual(['d']);
    expect(await ids(['user:*', 'image:d'], start)).toEqual(['b', 'd']);
    expect(await ids(['*'], start)).toEqual(['a', 'b', 'c', 'd']);
    expect(await ids(['nothing'], start)).toEqual([]);
    expect(await ids(['*'], bus.head())).toEqual([]);
  });

  it('replays the newest partial of an unfinished image, and none of a finished one', async () => {
    const { bus, publish, ids } = setUp();
    const start = bus.head();
    for (const draft of [partialOf('open', 0), partialOf('done', 0), partialOf('open', 1), finalOf('done')]) {
      await publish(draft);
    }
    const seen = await publish(partialOf('next', 0));
    await publish(finalOf('next'));
    await publish(partialOf('next', 1));
    expect(await ids(['*'], start)).toEqual(['open/1', 'done', 'next', 'next/1']);
    expect(await ids(['image:next'], seen)).toEqual(['next', 'next/1']);
  });

  it('does not count replaced partials against its budget', async () => {
    const { bus, publish, ids, gap } = setUp({ limitEvents: 2 });
    const start = bus.head();
    await publish(finalOf('kept'));
    for (let index = 0; index < 500; index += 1) await publish(partialOf('open', index));
    expect(await ids(['*'], start)).toEqual(['kept', 'open/499']);
    expect(await gap(['*'], start)).toBeUndefined();
  });

  it.each([
    ['count', { limitEvents: 10 }],
    ['bytes', { limitBytes: 12_000 }],
  ])('is bounded by %s, and right when full', async (_name, limits) => {
    const { bus, publish, ids, gap } = setUp(limits);
    const start = bus.head();
    const cursors: string[] = [];
    for (let index = 0; index < 1000; index += 1)
      cursors.push(await publish(finalOf(`i${index}`, ['job:1'])));
    expect(await gap(['job:1'], start)).toBe('evicted');
    expect((await ids(['*'], start)).length).toBeLessThanOrEqual(20);
    expect(await ids(['job:1'], cursors[996] ?? '')).toEqual(['i997', 'i998', 'i999']);
    expect(await gap(['job:1'], cursors[996] ?? '')).toBeUndefined();
  });

  it('does not age when somebody sets the clock, ahead or back', async () => {
    const wall = { ms: START_MS };
    const since = { ms: 0 };
    const bus = createLocalBus(
      { limitEvents: 100, limitBytes: 1e6, maxAgeMs: 1000 },
      { nowMs: () => wall.ms },
      { nowMs: () => since.ms },
    );
    const start = bus.head();
    const has = async (): Promise<number> => (await bus.replay(['*'], start)).events.length;
    await bus.publish(finalOf('a'));
    wall.ms += 86_400_000;
    expect(await has()).toBe(1);
    await bus.publish(finalOf('b'));
    wall.ms -= 2 * 86_400_000;
    since.ms += 900;
    await bus.publish(finalOf('c'));
    expect(await has()).toBe(3);
    since.ms += 900;
    expect(await has()).toBe(1);
    since.ms += 900;
    expect(await has()).toBe(0);
  });

  it('is bounded by age also when nothing is published', async () => {
    const { bus, time, publish, ids, gap } = setUp({ maxAgeMs: 1000 });
    const start = bus.head();
    await publish(finalOf('a'));
    time.ms += 500;
    await publish(finalOf('b'));
    time.ms += 600;
    expect(await ids(['*'], start)).toEqual(['b']);
    expect(await gap(['*'], start)).toBe('evicted');
  });

  it('says evicted only where something that the filter matches may be gone', async () => {
    const { bus, publish, gap } = setUp({ limitEvents: 3 });
    const start = bus.head();
    await publish(finalOf('early', ['quiet']));
    const before = await publish(finalOf('a', ['quiet', 'busy']));
    for (const id of ['b', 'c']) await publish(finalOf(id, ['busy']));
    const after = await publish(finalOf('d', ['busy']));
    await publish(finalOf('e', ['fresh']));
    expect(await gap(['busy'], start)).toBe('evicted');
    expect(await gap(['quiet'], start)).toBe('evicted');
    expect(await gap(['quiet'], before)).toBeUndefined();
    expect(await gap(['busy'], after)).toBeUndefined();
    expect(await gap(['quiet', 'busy'], start)).toBe('evicted');
  });

  it('tells a cursor from before its history from one that it never gave', async () => {
    const { bus, publish, ids, gap } = setUp();
    await publish(finalOf('a'));
    expect(await gap(['*'], '1000-0')).toBe('restarted');
    expect(await ids(['*'], '1000-0')).toEqual(['a']);
    const ahead = await bus.replay(['*'], `${START_MS + 1e6}-0`);
    expect(ahead.gap).toBe('ahead');
    expect(ahead.events.map(({ data }) => data.id)).toEqual(['a']);
    expect(compareCursors(ahead.since, ahead.events[0]?.cursor ?? '')).toBeLessThan(0);
  });

  it('keeps nothing where history is off, and says so', async () => {
    const { bus, publish, ids, gap } = setUp({ limitEvents: 0 });
    const start = bus.head();
    const last = await publish(finalOf('a'));
    expect(await ids(['*'], start)).toEqual([]);
    expect(await gap(['*'], start)).toBe('evicted');
    expect(await gap(['*'], last)).toBeUndefined();
  });
});
