/** What a hub makes of events that come at once. */
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { createHub } from '../../../src/events/hub.ts';
import { createLocalBus } from '../../../src/events/local-bus.ts';
import type { FrameMode } from '../../../src/events/sink.ts';
import type { Subscriber } from '../../../src/events/subscriber.ts';
import { HUB_OPTIONS } from '../../fixtures/event-server.ts';
import { finalOf, partialOf } from '../../fixtures/events.ts';
import { createFakeSink, drain, type FakeSink } from '../../fixtures/fake-sink.ts';

const THUMBNAILS: FrameMode = { transport: 'sse', inline: 'thumbnail', inlineMaxBytes: 0 };
const LIMITS = { limitEvents: 10_000, limitBytes: 1e9, maxAgeMs: 1e9 };

/** Lets every delivery happen that can. */
async function turns(count = 4): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

interface Follower {
  readonly sink: FakeSink;
  readonly subscriber: Subscriber;
}

function setUp() {
  const clock = { nowMs: () => 1_700_000_000_000 };
  const bus = createLocalBus(LIMITS, clock);
  const log = pino({ level: 'silent' });
  const hub = createHub(HUB_OPTIONS, { bus, clock, log, loadInline: async () => undefined, random: () => 0 });
  const follow = (filters: readonly string[], since?: string): Follower => {
    const sink = createFakeSink();
    const wish = { mode: THUMBNAILS, filters, since, client: '10.0.0.1', expiresAtMs: 0 };
    return { sink, subscriber: hub.subscribe(wish, () => sink) };
  };
  return { bus, hub, follow };
}

describe('createHub', () => {
  it('hands over at once what came at once, to each reader what it follows', async () => {
    const { bus, hub, follow } = setUp();
    const [all, one] = [follow(['*']), follow(['image:b'])];
    for (const id of ['a', 'b', 'c']) await bus.publish(finalOf(id));
    await turns();
    expect(all.sink.ids()).toEqual(['a', 'b', 'c']);
    expect(one.sink.ids()).toEqual(['b']);
    expect([all.sink.bundles, one.sink.bundles]).toEqual([1, 0]);
    expect(hub.stats().deliveries).toBe(4);
    expect(all.subscriber.lastCursor).toBe(bus.head());
    expect(follow(['*']).sink.texts()).toEqual([`:\nid: ${bus.head()}\n\n`]);
  });

  it('gives who comes within a burst nothing of it, and who is behind each of it once', async () => {
    const { bus, follow } = setUp();
    const since = bus.head();
    const early = Array.from({ length: 1500 }, () => follow(['*']));
    for (const id of ['a', 'b', 'c']) await bus.publish(finalOf(id));
    const behind = follow(['*'], since);
    await turns(1);
    const late = follow(['*']);
    await turns(12);
    expect(early.every(({ sink }) => sink.ids().join('') === 'abc')).toBe(true);
    expect(behind.sink.ids()).toEqual(['a', 'b', 'c']);
    expect(late.sink.texts()).toEqual([`:\nid: ${bus.head()}\n\n`]);
  });

  it('keeps what came at once from a reader that is stuck, and conflates it', async () => {
    const { bus, hub, follow } = setUp();
    const { sink, subscriber } = follow(['*']);
    sink.outcome = 'buffered';
    await bus.publish(finalOf('first'));
    await turns();
    for (const index of [0, 1]) await bus.publish(partialOf('x', index));
    await bus.publish(finalOf('x'));
    await turns();
    expect(sink.ids()).toEqual(['first']);
    expect(hub.stats().conflated).toBe(2);
    drain(subscriber, sink);
    expect(sink.ids()).toEqual(['first', 'x']);
  });
});
