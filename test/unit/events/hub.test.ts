import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createHub, type HubDeps, type HubOptions } from '../../../src/events/hub.ts';
import { createLocalBus } from '../../../src/events/local-bus.ts';
import type { FrameMode, InlineImage } from '../../../src/events/sink.ts';
import type { Subscriber } from '../../../src/events/subscriber.ts';
import { HUB_OPTIONS } from '../../fixtures/event-server.ts';
import { finalOf, partialOf } from '../../fixtures/events.ts';
import { createFakeSink, type FakeSink } from '../../fixtures/fake-sink.ts';

const THUMBNAILS: FrameMode = { transport: 'sse', inline: 'thumbnail', inlineMaxBytes: 0 };
const FULL: FrameMode = { transport: 'sse', inline: 'full', inlineMaxBytes: 5000 };
const LIMITS = { limitEvents: 10_000, limitBytes: 1e9, maxAgeMs: 1e9 };

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
});

afterEach(() => {
  vi.useRealTimers();
});

/** Lets every delivery happen that can. */
async function turns(count = 4): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

interface Follower {
  readonly sink: FakeSink;
  readonly subscriber: Subscriber;
}

function setUp(options: Partial<HubOptions> = {}, loadInline: HubDeps['loadInline'] = async () => undefined) {
  const time = { ms: 1_700_000_000_000 };
  const clock = { nowMs: () => time.ms };
  const bus = createLocalBus(LIMITS, clock);
  const log = pino({ level: 'silent' });
  const hub = createHub({ ...HUB_OPTIONS, ...options }, { bus, clock, log, loadInline, random: () => 0 });
  const follow = (filters: readonly string[], mode = THUMBNAILS, since?: string): Follower => {
    const sink = createFakeSink();
    const wish = { mode, filters, since, client: '10.0.0.1', expiresAtMs: 0 };
    return { sink, subscriber: hub.subscribe(wish, () => sink) };
  };
  return { bus, hub, follow, time };
}

/** A loader whose images come when the test lets them. */
function createLoads() {
  const waiting = new Map<string, (image: InlineImage | undefined) => void>();
  const asked: string[] = [];
  return {
    asked,
    load: async (event: { readonly data: { readonly id: string } }) => {
      asked.push(event.data.id);
      return new Promise<InlineImage | undefined>((resolve) => waiting.set(event.data.id, resolve));
    },
    come: (id: string) => waiting.get(id)?.({ mime: 'image/webp', bytes: Buffer.from(`bytes of ${id}`) }),
  };
}

describe('createHub', () => {
  it('delivers after the handler that published, never within it', async () => {
    const { bus, follow } = setUp();
    const { sink } = follow(['*']);
    const publishing = bus.publish(finalOf('a'));
    expect(sink.ids()).toEqual([]);
    await publishing;
    expect(sink.ids()).toEqual([]);
    await turns();
    expect(sink.ids()).toEqual(['a']);
  });

  it('encodes an event once for all readers of a mode', async () => {
    const { bus, follow } = setUp();
    const [one, other, none] = [
      follow(['*']),
      follow(['image:a']),
      follow(['*'], { ...THUMBNAILS, inline: 'none' }),
    ];
    await bus.publish(finalOf('a'));
    await turns();
    expect(one.sink.sent[1]).toBe(other.sink.sent[1]);
    expect(one.sink.sent[1]).not.toBe(none.sink.sent[1]);
  });

  it('shares frames between readers that replay the same events', async () => {
    const { bus, follow } = setUp();
    const since = bus.head();
    await bus.publish(finalOf('a'));
    const readers = [follow(['*'], THUMBNAILS, since), follow(['*'], THUMBNAILS, since)];
    await turns();
    expect(readers[0]?.sink.ids()).toEqual(['a']);
    expect(readers[0]?.sink.sent[0]).toBe(readers[1]?.sink.sent[0]);
  });

  it('gives requests a turn within a large fan-out, and nothing twice to who comes in between', async () => {
    const { bus, hub, follow } = setUp();
    const early = Array.from({ length: 5000 }, () => follow(['*']));
    const { cursor } = await bus.publish(finalOf('a'));
    await turns(1);
    const { deliveries } = hub.stats();
    expect(deliveries).toBeGreaterThan(0);
    expect(deliveries).toBeLessThan(5000);
    const late = follow(['*']);
    // It stands after the event on its way: it neither gets it, nor would by resuming from here.
    expect(late.sink.texts()).toEqual([`:\nid: ${cursor}\n\n`]);
    await turns(8);
    expect(hub.stats().deliveries).toBe(5000);
    expect(early.every(({ sink }) => sink.ids().length === 1)).toBe(true);
    expect(late.sink.ids()).toEqual([]);
  });

  it('loads images for a mode only where somebody in that mode follows', async () => {
    const loads = createLoads();
    const { bus, follow } = setUp({}, loads.load);
    follow(['*']);
    follow(['job:1'], FULL);
    await bus.publish(finalOf('a', ['job:2']));
    await bus.publish(finalOf('b', ['job:1']));
    await turns();
    expect(loads.asked).toEqual(['b']);
  });

  it('keeps the order of a mode while images load, and lets no other mode wait', async () => {
    const loads = createLoads();
    const { bus, follow } = setUp({}, loads.load);
    const [full, fast] = [follow(['*'], FULL), follow(['*'])];
    for (const id of ['a', 'b', 'c']) await bus.publish(finalOf(id));
    await turns();
    expect(fast.sink.ids()).toEqual(['a', 'b', 'c']);
    for (const id of ['c', 'b']) loads.come(id);
    await turns();
    expect(full.sink.ids()).toEqual([]);
    loads.come('a');
    await turns();
    expect(full.sink.ids()).toEqual(['a', 'b', 'c']);
    expect(full.sink.texts()[1]).toContain('"image_data":"data:image/webp;base64,');
  });

  it('sends an event without its image when that does not come in time, or fails', async () => {
    const loads = createLoads();
    const { bus, hub, follow } = setUp({ inlineTimeoutMs: 500 }, async (event) => {
      if (event.data.id === 'broken') throw new Error('no such bytes');
      return loads.load(event);
    });
    const { sink } = follow(['*'], FULL);
    await bus.publish(finalOf('late'));
    await bus.publish(finalOf('broken'));
    await turns();
    expect(sink.ids()).toEqual([]);
    await vi.advanceTimersByTimeAsync(500);
    await turns();
    expect(sink.ids()).toEqual(['late', 'broken']);
    expect(sink.texts().join('')).not.toContain('image_data');
    expect(hub.stats()).toMatchObject({ inlineLoads: 2, inlineMissed: 2 });
  });

  it('drops a partial that still waits for its image when a newer event of it comes', async () => {
    const loads = createLoads();
    const { bus, hub, follow } = setUp({}, loads.load);
    const { sink } = follow(['*'], FULL);
    await bus.publish(finalOf('first'));
    await bus.publish(partialOf('x', 0));
    await bus.publish(partialOf('x', 1));
    await bus.publish(finalOf('x'));
    await turns();
    for (const id of ['first', 'x']) loads.come(id);
    await turns();
    expect(sink.ids()).toEqual(['first', 'x']);
    expect(sink.texts().at(-1)).toContain('event: image.ready');
    expect(hub.stats().conflated).toBe(2);
  });

  it('ends what is over, and looks after idle streams, from one timer', async () => {
    const { hub, follow } = setUp({ heartbeatMs: 2000, lifetimeMs: 20_000 });
    const readers = Array.from({ length: 8 }, () => follow(['*']));
    expect(vi.getTimerCount()).toBe(1);
    await vi.advanceTimersByTimeAsync(3000);
    for (const { sink } of readers) expect(sink.sent).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(8000);
    for (const { sink } of readers) expect(sink.endReason).toBe('lifetime');
    expect(hub.stats()).toMatchObject({ subscribers: 0, topics: 0, cut: { lifetime: 8 }, heartbeats: 32 });
  });

  it('ends streams at the expiry of their right', async () => {
    const { hub, time } = setUp();
    const sink = createFakeSink();
    const expiresAtMs = time.ms + 5000;
    const wish = { mode: THUMBNAILS, filters: ['*'], since: undefined, client: 'c', expiresAtMs };
    hub.subscribe(wish, () => sink);
    await vi.advanceTimersByTimeAsync(2000);
    expect(sink.endReason).toBeUndefined();
    time.ms += 5000;
    await vi.advanceTimersByTimeAsync(1000);
    expect(sink.endReason).toBe('expired');
  });

  it('admits up to its limit, and nobody once it closes', async () => {
    const { hub, follow } = setUp({ subscribersMax: 1 });
    hub.admit('one');
    const { subscriber } = follow(['*']);
    expect(() => hub.admit('one')).toThrow(expect.objectContaining({ code: 'too_many_connections' }));
    subscriber.closed();
    hub.admit('one');
    await hub.close(0);
    expect(() => hub.admit('one')).toThrow(expect.objectContaining({ code: 'shutting_down' }));
  });

  it('spreads the end of its streams over the grace', async () => {
    const { hub, follow } = setUp();
    const readers = Array.from({ length: 100 }, () => follow(['*']));
    const ended = (): number => readers.filter(({ sink }) => sink.endReason === 'shutdown').length;
    const closing = hub.close(1000);
    await vi.advanceTimersByTimeAsync(450);
    expect(ended()).toBeGreaterThan(20);
    expect(ended()).toBeLessThan(80);
    await vi.advanceTimersByTimeAsync(1000);
    await closing;
    expect(ended()).toBe(100);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('tells every reader of a gap that the bus declares', async () => {
    const { bus, hub, follow } = setUp();
    const declared: ((reason: 'disconnected') => void)[] = [];
    const other = createHub(HUB_OPTIONS, {
      bus: { ...bus, listen: (_onEvent, onGap) => void declared.push(onGap) },
      clock: { nowMs: () => 0 },
      log: pino({ level: 'silent' }),
      loadInline: async () => undefined,
      random: () => 0,
    });
    const sink = createFakeSink();
    const wish = { mode: THUMBNAILS, filters: ['*'], since: undefined, client: 'c', expiresAtMs: 0 };
    other.subscribe(wish, () => sink);
    for (const declare of declared) declare('disconnected');
    expect(sink.texts().at(-1)).toBe('event: gap\ndata: {"reason":"disconnected"}\n\n');
    expect(other.stats().gaps).toBe(1);
    expect(follow(['*']).sink.texts()).toHaveLength(1);
    expect(hub.stats().gaps).toBe(0);
  });

  it('says who is slow and what is followed most', async () => {
    const { bus, hub, follow } = setUp();
    const slow = follow(['job:1', '*']);
    follow(['*']);
    slow.sink.outcome = 'buffered';
    for (const id of ['a', 'b', 'c']) await bus.publish(finalOf(id));
    await turns();
    const [row, ...others] = hub.slowest(5);
    expect(others).toEqual([]);
    expect(row).toMatchObject({
      client: '10.0.0.1',
      transport: 'sse',
      stalled_ms: 0,
      topics: ['job:1', '*'],
    });
    expect(row?.bytes).toBe(hub.stats().waitingBytes);
    expect(hub.topTopics(1)).toEqual([{ topic: '*', subscribers: 2 }]);
    expect(hub.stats()).toMatchObject({ subscribers: 2, topics: 2, blocked: 1, byTransport: { sse: 2 } });
  });
});
