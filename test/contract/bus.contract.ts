/** What every bus keeps, whether events stay in one process or go through Redis: one suite, run by each. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { compareCursors, isCursor } from '../../src/core/cursor.ts';
import type { EventDraft, ImageEvent } from '../../src/core/event.ts';
import type { Bus, GapReason } from '../../src/events/bus.ts';
import { eventually } from '../fixtures/eventually.ts';

export interface BusUnderTest {
  readonly bus: Bus;
  dispose(): Promise<void>;
}

/** Limits that the suite expects a bus to be made with. */
export const BUS_LIMITS = { limitEvents: 500, limitBytes: 4 * 1024 * 1024, maxAgeMs: 600_000 } as const;

export function draftOf(
  id: string,
  more: Partial<EventDraft> = {},
  topics: readonly string[] = [],
): EventDraft {
  return {
    name: 'image.ready',
    kind: 'final',
    data: {
      id,
      topics,
      version: 'a'.repeat(64),
      mime: 'image/png',
      bytes: 3,
      meta: { step: [1, null, 'é'] },
    },
    thumbnail: 'dGh1bWI=',
    bodyKey: `image:${id}`,
    ...more,
  };
}

export function partialOf(id: string, index: number): EventDraft {
  const data = { id, topics: [], partial_index: index };
  return draftOf(id, { name: 'image.partial', kind: 'partial', data });
}

export interface Heard {
  readonly events: ImageEvent[];
  readonly gaps: GapReason[];
  until(count: number): Promise<void>;
}

export function listenTo(bus: Bus): Heard {
  const heard: Heard = {
    events: [],
    gaps: [],
    until: async (count) => eventually(() => heard.events.length >= count, `${count} events were given`),
  };
  bus.listen(
    (event) => heard.events.push(event),
    (reason) => heard.gaps.push(reason),
  );
  return heard;
}

export function idsOf(events: readonly ImageEvent[]): string[] {
  return events.map(({ data, kind }) => (kind === 'partial' ? `${data.id}~${data.partial_index}` : data.id));
}

export function describeBus(title: string, create: () => Promise<BusUnderTest>): void {
  describe(`${title} as a bus`, () => {
    let under: BusUnderTest;
    let bus: Bus;
    let heard: Heard;

    beforeEach(async () => {
      under = await create();
      bus = under.bus;
      heard = listenTo(bus);
    });
    afterEach(async () => under.dispose());

    it('gives each event to its listener once, as it was published, in the order of the cursors', async () => {
      const published: ImageEvent[] = [];
      for (let n = 0; n < 50; n += 1) published.push(await bus.publish(draftOf(`i${n}`, {}, ['job:1'])));
      await heard.until(50);
      expect(heard.events).toEqual(published);
      expect(published[0]).toMatchObject({ ...draftOf('i0', {}, ['job:1']), topics: ['image:i0', 'job:1'] });
      for (const [at, { cursor }] of published.entries()) {
        expect(isCursor(cursor)).toBe(true);
        if (at > 0) expect(compareCursors(cursor, published[at - 1]?.cursor ?? '')).toBeGreaterThan(0);
      }
      expect(bus.head()).toBe(published.at(-1)?.cursor);
      expect(heard.gaps).toEqual([]);
    });

    it('keeps events apart that are published at once', async () => {
      const published = await Promise.all(
        Array.from({ length: 300 }, async (_, n) => bus.publish(draftOf(`i${n}`))),
      );
      await heard.until(300);
      expect(new Set(published.map(({ cursor }) => cursor)).size).toBe(300);
      const cursors = heard.events.map(({ cursor }) => cursor);
      expect(cursors).toEqual(cursors.toSorted(compareCursors));
    });

    it('replays what came after a cursor, for exact topics, prefixes and all, in order', async () => {
      const start = bus.head();
      await bus.publish(draftOf('a', {}, ['job:1']));
      const second = await bus.publish(draftOf('b', {}, ['job:2']));
      await bus.publish(draftOf('c', {}, ['other', 'job:1']));
      await bus.publish(draftOf('d'));
      const replayed = async (filters: readonly string[], since: string): Promise<string[]> => {
        const { events, gap } = await bus.replay(filters, since);
        expect(gap).toBeUndefined();
        return idsOf(events);
      };
      expect(await replayed(['job:1'], start)).toEqual(['a', 'c']);
      expect(await replayed(['job:*'], start)).toEqual(['a', 'b', 'c']);
      expect(await replayed(['*'], start)).toEqual(['a', 'b', 'c', 'd']);
      expect(await replayed(['job:2', 'image:d', 'job:*'], start)).toEqual(['a', 'b', 'c', 'd']);
      expect(await replayed(['*'], second.cursor)).toEqual(['c', 'd']);
      expect(await replayed(['job:3'], start)).toEqual([]);
      expect(await replayed(['*'], bus.head())).toEqual([]);
    });

    it('has in a replay everything that was published before it was asked for', async () => {
      const start = bus.head();
      for (let n = 1; n <= 30; n += 1) {
        await bus.publish(draftOf(`i${n}`));
        expect((await bus.replay(['*'], start)).events.length).toBe(n);
      }
    });

    it('replays the newest partial of an unfinished image, and none of a finished one', async () => {
      const start = bus.head();
      for (const index of [0, 1, 2]) {
        await bus.publish(partialOf('open', index));
        await bus.publish(partialOf('done', index));
      }
      await bus.publish(draftOf('done'));
      const { events } = await bus.replay(['*'], start);
      expect(idsOf(events)).toEqual(['open~2', 'done']);
      expect((await bus.replay(['image:open'], start)).events.map(({ kind }) => kind)).toEqual(['partial']);
    });

    it('says what is gone beyond its bounds, and still replays from a recent cursor', async () => {
      const start = bus.head();
      const published: ImageEvent[] = [];
      for (let n = 0; n < BUS_LIMITS.limitEvents + 200; n += 1)
        published.push(await bus.publish(draftOf(`i${n}`)));
      const old = await bus.replay(['*'], start);
      expect(old.gap).toBe('evicted');
      expect(old.events.length).toBe(BUS_LIMITS.limitEvents);
      const recent = await bus.replay(['*'], published.at(-4)?.cursor ?? '');
      expect(recent.gap).toBeUndefined();
      expect(idsOf(recent.events)).toEqual(published.slice(-3).map(({ data }) => data.id));
    });

    it('says when a cursor is from before its history, or ahead of it', async () => {
      const { cursor } = await bus.publish(draftOf('a'));
      expect(await bus.replay(['*'], '1000-0')).toMatchObject({ gap: 'restarted' });
      const ahead = await bus.replay(['*'], '99999999999999-0');
      expect(ahead.gap).toBe('ahead');
      expect(idsOf(ahead.events)).toEqual(['a']);
      expect(compareCursors(ahead.since, cursor)).toBeLessThan(0);
    });

    it('gives nothing any more once it is closed', async () => {
      await bus.publish(draftOf('a'));
      await heard.until(1);
      await bus.close();
      expect(heard.events.length).toBe(1);
    });
  });
}
