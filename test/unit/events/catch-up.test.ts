import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Bus } from '../../../src/events/bus.ts';
import { createHub } from '../../../src/events/hub.ts';
import { createLocalBus } from '../../../src/events/local-bus.ts';
import { HUB_OPTIONS } from '../../fixtures/event-server.ts';
import { finalOf } from '../../fixtures/events.ts';
import { createFakeSink } from '../../fixtures/fake-sink.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
});

afterEach(() => {
  vi.useRealTimers();
});

/** Lets everything happen that can. */
async function turns(count = 4): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** A reader that resumes from the beginning of a history whose `replay` is the test's. */
function setUp(replay: (inner: Bus) => Bus['replay']) {
  const clock = { nowMs: () => 1_700_000_000_000 };
  const bus = createLocalBus({ limitEvents: 10_000, limitBytes: 1e9, maxAgeMs: 1e9 }, clock);
  const log = pino({ level: 'silent' });
  const deps = { clock, log, loadInline: async () => undefined, random: () => 0 };
  const hub = createHub(HUB_OPTIONS, { ...deps, bus: { ...bus, replay: replay(bus) } });
  const sink = createFakeSink();
  const mode = { transport: 'sse', inline: 'thumbnail', inlineMaxBytes: 0 } as const;
  const wish = { mode, filters: ['*'], since: bus.head(), client: 'c', expiresAtMs: 0 };
  return { bus, hub, sink, resume: () => hub.subscribe(wish, () => sink) };
}

describe('catchUp', () => {
  it('lives on with a gap when history does not answer in time', async () => {
    const { bus, sink, resume } = setUp(() => async () => new Promise(() => {}));
    resume();
    await bus.publish(finalOf('a'));
    await turns();
    expect(sink.ids()).toEqual([]);
    await vi.advanceTimersByTimeAsync(10_000);
    await turns();
    expect(sink.texts()[0]).toContain('"reason":"disconnected"');
    expect(sink.ids()).toEqual(['a']);
  });

  it('lives on with a gap when history fails', async () => {
    const { bus, hub, sink, resume } = setUp(() => async () => {
      throw new Error('no history');
    });
    resume();
    await bus.publish(finalOf('a'));
    await turns();
    expect(sink.texts()[0]).toContain('"reason":"disconnected"');
    expect(sink.ids()).toEqual(['a']);
    expect(hub.stats()).toMatchObject({ gaps: 1, behind: 0 });
  });

  it('asks history again when more came during a replay than is held back', async () => {
    let letGo: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    let replays = 0;
    const { bus, sink, resume } = setUp((inner) => async (filters, since) => {
      replays += 1;
      const found = await inner.replay(filters, since);
      if (replays === 1) await held;
      return found;
    });
    const subscriber = resume();
    const ids = Array.from({ length: 1000 }, (_, index) => `i${index}`);
    for (const id of ids) await bus.publish(finalOf(id));
    await turns();
    expect(subscriber.held?.length).toBeLessThan(1000);
    letGo();
    await turns(60);
    expect(replays).toBe(2);
    expect(subscriber.held).toBeUndefined();
    expect(sink.ids()).toEqual(ids);
  });

  it('waits for a slow reader with history, and lets others have their turn', async () => {
    const { bus, hub, sink, resume } = setUp((inner) => inner.replay);
    const ids = Array.from({ length: 200 }, (_, index) => `i${index}`);
    for (const id of ids) await bus.publish(finalOf(id));
    sink.outcome = 'buffered';
    const subscriber = resume();
    await turns(20);
    expect(sink.ids()).toEqual(['i0']);
    expect(hub.stats()).toMatchObject({ behind: 1, blocked: 1, waitingBytes: 0 });
    sink.outcome = 'sent';
    subscriber.drained();
    await turns(3);
    expect(sink.ids().length).toBeLessThan(200);
    await turns(20);
    expect(sink.ids()).toEqual(ids);
    expect(hub.stats()).toMatchObject({ behind: 0, replayed: 200 });
  });

  it('stops when the reader is gone in the middle of it', async () => {
    const { bus, hub, sink, resume } = setUp((inner) => inner.replay);
    for (const id of ['a', 'b', 'c']) await bus.publish(finalOf(id));
    sink.outcome = 'buffered';
    const subscriber = resume();
    await turns();
    subscriber.closed();
    await turns();
    expect(sink.ids()).toEqual(['a']);
    expect(hub.stats()).toMatchObject({ subscribers: 0, topics: 0, waitingBytes: 0 });
  });
});
