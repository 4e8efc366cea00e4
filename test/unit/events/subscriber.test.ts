import { describe, expect, it } from 'vitest';
import { encodeSse } from '../../../src/events/encode-sse.ts';
import { createEventCounters } from '../../../src/events/event-counters.ts';
import type { Frame } from '../../../src/events/sink.ts';
import { Subscriber, type StreamRules, type SubscriberTerms } from '../../../src/events/subscriber.ts';
import { createFakeSink, drain } from '../../fixtures/fake-sink.ts';

const NOW_MS = 1_700_000_000_000;

function frame(kind: Frame['kind'], imageId: string, name: string, size = 10): Frame {
  return { bytes: Buffer.from(`"id":"${name}"`.padEnd(size, ' ')), binary: false, kind, imageId };
}

function setUp(limits: Partial<StreamRules> = {}, terms: Partial<SubscriberTerms> = {}) {
  const counters = createEventCounters();
  const gone: Subscriber[] = [];
  const rules: StreamRules = {
    budgetBytes: 100,
    stallMs: 30_000,
    heartbeatMs: 15_000,
    counters,
    elapsedMs: 0,
    onOver: (subscriber) => gone.push(subscriber),
    ...limits,
  };
  const frames = {
    heartbeat: (live: boolean) => encodeSse.heartbeat(live ? '7-0' : ''),
    farewell: encodeSse.close,
  };
  const subscriber = new Subscriber({ client: 'c', expiresAtMs: 0, endsAtMs: 0, ...terms }, frames, rules);
  const sink = createFakeSink();
  subscriber.attach(sink);
  const block = (): void => {
    sink.outcome = 'buffered';
    subscriber.offer(frame('final', 'first', 'first'));
  };
  return { subscriber, sink, rules, counters, gone, block };
}

describe('Subscriber', () => {
  it('sends at once while the reader takes everything', () => {
    const { subscriber, sink, counters } = setUp();
    for (const name of ['a', 'b']) subscriber.offer(frame('final', name, name, 20));
    expect(sink.ids()).toEqual(['a', 'b']);
    expect(counters).toMatchObject({ deliveries: 2, deliveredBytes: 40 });
  });

  it('sends nothing after a write that was buffered, until the reader drains', () => {
    const { subscriber, sink, block } = setUp();
    block();
    for (const name of ['a', 'b']) subscriber.offer(frame('final', name, name));
    expect(sink.ids()).toEqual(['first']);
    expect(drain(subscriber, sink)).toBe(true);
    expect(sink.ids()).toEqual(['first', 'a', 'b']);
    expect(subscriber.waitingBytes).toBe(0);
    expect(drain(subscriber, sink)).toBe(false);
  });

  it('sends one frame a drain while each fills the socket again, in order', () => {
    const { subscriber, sink, block } = setUp();
    block();
    for (const name of ['a', 'b', 'c']) subscriber.offer(frame('final', name, name));
    for (const seen of [
      ['first', 'a'],
      ['first', 'a', 'b'],
      ['first', 'a', 'b', 'c'],
    ]) {
      drain(subscriber, sink, 'buffered');
      expect(sink.ids()).toEqual(seen);
    }
  });

  it('keeps only the newest partial of an image while it waits, in its new place', () => {
    const { subscriber, sink, counters, block } = setUp();
    block();
    subscriber.offer(frame('partial', 'x', 'x0'));
    subscriber.offer(frame('partial', 'y', 'y0'));
    subscriber.offer(frame('partial', 'x', 'x1'));
    expect(subscriber.waitingBytes).toBe(20);
    drain(subscriber, sink);
    expect(sink.ids()).toEqual(['first', 'y0', 'x1']);
    expect(counters.conflated).toBe(1);
  });

  it('drops a waiting partial when its final comes, and keeps a partial that comes after the final', () => {
    const { subscriber, sink, block } = setUp();
    block();
    subscriber.offer(frame('partial', 'x', 'x0'));
    subscriber.offer(frame('final', 'x', 'final'));
    subscriber.offer(frame('partial', 'x', 'next-0'));
    drain(subscriber, sink);
    expect(sink.ids()).toEqual(['first', 'final', 'next-0']);
  });

  it('never drops a final: over its budget it ends as slow', () => {
    const { subscriber, sink, counters, gone, block } = setUp({ budgetBytes: 25 });
    block();
    for (const name of ['a', 'b', 'c']) subscriber.offer(frame('final', name, name));
    expect(sink.endReason).toBe('slow');
    expect(sink.farewell).toBe('event: close\ndata: {"reason":"slow"}\n\n');
    expect(counters.cut.slow).toBe(1);
    expect(gone).toEqual([subscriber]);
    expect(subscriber.waitingBytes).toBe(0);
    subscriber.offer(frame('final', 'd', 'd'));
    subscriber.closed();
    expect(gone).toHaveLength(1);
    expect(counters.left).toBe(0);
  });

  it('lets one frame wait that is larger than the budget, else it could never be sent', () => {
    const { subscriber, sink, block } = setUp({ budgetBytes: 25 });
    block();
    subscriber.offer(frame('final', 'a', 'a', 80));
    expect(sink.endReason).toBeUndefined();
    subscriber.offer(frame('final', 'b', 'b'));
    expect(sink.endReason).toBe('slow');
  });

  it('ends as stalled when nothing is read for the deadline while bytes wait, and not before', () => {
    const { subscriber, sink, rules, block } = setUp({ stallMs: 3000 });
    block();
    for (rules.elapsedMs = 1000; rules.elapsedMs < 3000; rules.elapsedMs += 1000) subscriber.tick(NOW_MS);
    expect(sink.holds).toBe(2);
    expect(sink.endReason).toBeUndefined();
    subscriber.tick(NOW_MS);
    expect(sink.endReason).toBe('stalled');
  });

  it('counts any progress of the reader against the stall, and none of the writer', () => {
    const { subscriber, sink, rules, block } = setUp({ stallMs: 3000 });
    block();
    rules.elapsedMs = 2500;
    subscriber.progressed();
    rules.elapsedMs = 5000;
    subscriber.offer(frame('final', 'a', 'a'));
    subscriber.tick(NOW_MS);
    expect(sink.endReason).toBeUndefined();
    rules.elapsedMs = 5500;
    subscriber.tick(NOW_MS);
    expect(sink.endReason).toBe('stalled');
  });

  it('sends a heartbeat when it was idle for the interval, and never to a reader that is behind', () => {
    const { subscriber, sink, rules, counters, block } = setUp({ heartbeatMs: 2000 });
    rules.elapsedMs = 1000;
    subscriber.offer(frame('final', 'a', 'a'));
    rules.elapsedMs = 2500;
    subscriber.tick(NOW_MS);
    expect(sink.sent).toHaveLength(1);
    rules.elapsedMs = 3000;
    subscriber.tick(NOW_MS);
    expect(sink.texts()[1]).toBe(':\nid: 7-0\n\n');
    block();
    rules.elapsedMs = 9000;
    subscriber.tick(NOW_MS);
    expect(sink.sent).toHaveLength(3);
    expect(counters).toMatchObject({ heartbeats: 1, deliveries: 2 });
  });

  it('does not say where it stands while it is still catching up', () => {
    const { subscriber, sink, rules } = setUp({ heartbeatMs: 2000 });
    subscriber.held = [];
    rules.elapsedMs = 2000;
    subscriber.tick(NOW_MS);
    expect(sink.texts()).toEqual([':\n\n']);
  });

  it('ends when its right to follow or its life is over', () => {
    const expiring = setUp({}, { expiresAtMs: NOW_MS });
    expiring.subscriber.tick(NOW_MS - 1);
    expect(expiring.sink.endReason).toBeUndefined();
    expiring.subscriber.tick(NOW_MS);
    expect(expiring.sink.endReason).toBe('expired');
    const old = setUp({}, { endsAtMs: 5000 });
    old.rules.elapsedMs = 5000;
    old.subscriber.tick(NOW_MS);
    expect(old.sink.endReason).toBe('lifetime');
  });

  it('ends as failed when the transport refuses a frame, and is gone when the reader is', () => {
    const refused = setUp();
    refused.sink.outcome = 'refused';
    refused.subscriber.offer(frame('final', 'a', 'a'));
    expect(refused.sink.endReason).toBe('failed');
    const left = setUp();
    left.sink.outcome = 'dead';
    left.subscriber.offer(frame('final', 'a', 'a'));
    expect(left.sink.endReason).toBeUndefined();
    expect(left.counters.left).toBe(1);
    expect(left.gone).toHaveLength(1);
  });

  it('lets who waits for it go on when it is drained, and when it is over', async () => {
    const drained = setUp();
    drained.block();
    const waiting = drained.subscriber.untilDrained();
    drain(drained.subscriber, drained.sink);
    await waiting;
    const ended = setUp();
    ended.block();
    const other = ended.subscriber.untilDrained();
    ended.subscriber.end('shutdown');
    await other;
    await ended.subscriber.untilDrained();
    expect(ended.subscriber.isOver).toBe(true);
  });
});
