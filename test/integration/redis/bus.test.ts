/** Events over several instances and through every fault of Redis: once each, in one order, or a declared gap. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { compareCursors } from '../../../src/core/cursor.ts';
import { draftOf, idsOf, listenTo, partialOf, type Heard } from '../../contract/bus.contract.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { startBus, type BusInstance } from '../../fixtures/redis-bus.ts';
import { startRedis, type RedisServer } from '../../fixtures/redis-server.ts';

const LIMITS = { limitEvents: 5000, limitBytes: 16 * 1024 * 1024, maxAgeMs: 600_000 };

let server: RedisServer;
let open: BusInstance[];

beforeEach(async () => {
  server = await startRedis();
  open = [];
});
afterEach(async () => {
  for (const { close } of open) await close();
  await server.stop();
});

async function join(isReachable = true): Promise<BusInstance & { readonly heard: Heard }> {
  const instance = await startBus(server, LIMITS, isReachable);
  open.push(instance);
  return { ...instance, heard: listenTo(instance.bus) };
}

async function leave(instance: BusInstance): Promise<void> {
  open = open.filter(({ bus }) => bus !== instance.bus);
  await instance.close();
}

async function streamConnections(): Promise<string[]> {
  const lines = (await server.cli('CLIENT', 'LIST')).split('\n');
  return lines.filter((line) => line.includes('cmd=xread')).map((line) => /\bid=(\d+)/.exec(line)?.[1] ?? '');
}

describe('several instances', () => {
  it('get the same events in the same order, each once, whoever published them', async () => {
    const [one, two] = [await join(), await join()];
    await Promise.all(
      Array.from({ length: 200 }, async (_, n) => (n % 2 === 0 ? one : two).bus.publish(draftOf(`i${n}`))),
    );
    await Promise.all([one.heard.until(200), two.heard.until(200)]);
    expect(one.heard.events).toEqual(two.heard.events);
    expect(new Set(idsOf(one.heard.events)).size).toBe(200);
  });

  it('replay what was published before they started, as after a kill', async () => {
    const one = await join();
    const start = one.bus.head();
    await one.bus.publish(partialOf('x', 0));
    const last = await one.bus.publish(partialOf('y', 0));
    await leave(one);
    const two = await join();
    expect(two.bus.head()).toBe(last.cursor);
    await two.bus.publish(draftOf('x'));
    const { events, gap } = await two.bus.replay(['*'], start);
    expect([idsOf(events), gap]).toEqual([['y~0', 'x'], undefined]);
    expect(idsOf((await two.bus.replay(['*'], last.cursor)).events)).toEqual(['x']);
  });

  it('keep up with 20,000 finals at full speed', async () => {
    const [one, two] = [await join(), await join()];
    for (let round = 0; round < 20; round += 1) {
      await Promise.all(
        Array.from({ length: 1000 }, async (_, n) => one.bus.publish(draftOf(`i${round * 1000 + n}`))),
      );
    }
    await Promise.all([one.heard.until(20_000), two.heard.until(20_000)]);
    expect(new Set(idsOf(two.heard.events)).size).toBe(20_000);
    const cursors = two.heard.events.map(({ cursor }) => cursor);
    expect(cursors).toEqual(cursors.toSorted(compareCursors));
    expect([one.heard.gaps, two.heard.gaps]).toEqual([[], []]);
    const length = Number(await server.cli('XLEN', 'afterimage-events'));
    expect(length).toBeLessThanOrEqual(20_000);
  });
});

describe('a connection that breaks', () => {
  it('loses nothing and repeats nothing when it is killed under load', async () => {
    const [one, two] = [await join(), await join()];
    for (let n = 0; n < 300; n += 1) {
      await one.bus.publish(draftOf(`i${n}`));
      if (n % 60 !== 30) continue;
      for (const id of await streamConnections()) await server.cli('CLIENT', 'KILL', 'ID', id);
    }
    await Promise.all([one.heard.until(300), two.heard.until(300)]);
    for (const { heard } of [one, two]) {
      expect(idsOf(heard.events)).toEqual(Array.from({ length: 300 }, (_, n) => `i${n}`));
      expect(heard.gaps).toEqual([]);
    }
  });

  it('declares a gap when what it missed was trimmed meanwhile', async () => {
    const [one, two] = [await join(), await join()];
    await one.bus.publish(draftOf('before'));
    await two.heard.until(1);
    two.clients.stream.disconnect(false);
    await eventually(() => !two.bus.stats().connected, 'it reads no more');
    for (let n = 0; n < 10; n += 1) await one.bus.publish(draftOf(`missed${n}`));
    await server.cli('XTRIM', 'afterimage-events', 'MAXLEN', '3');
    await two.clients.stream.connect();
    await eventually(() => two.heard.gaps.length === 1, 'the gap is declared');
    await one.bus.publish(draftOf('after'));
    await eventually(() => idsOf(two.heard.events).at(-1) === 'after', 'it goes on');
    expect(two.heard.gaps).toEqual(['disconnected']);
    expect((await two.bus.replay(['*'], one.heard.events[0]?.cursor ?? '')).gap).toBe('evicted');
  });

  it('declares no gap when only what it had read was trimmed', async () => {
    const [one, two] = [await join(), await join()];
    for (let n = 0; n < 10; n += 1) await one.bus.publish(draftOf(`i${n}`));
    await two.heard.until(10);
    two.clients.stream.disconnect(false);
    await eventually(() => !two.bus.stats().connected, 'it reads no more');
    await server.cli('XTRIM', 'afterimage-events', 'MAXLEN', '0');
    await one.bus.publish(draftOf('next'));
    await two.clients.stream.connect();
    await two.heard.until(11);
    expect(two.heard.gaps).toEqual([]);
  });

  it('reads on, with a gap, when another history takes the place of the stream', async () => {
    const one = await join();
    await one.bus.publish(draftOf('a'));
    await one.heard.until(1);
    // As after a failover to a server whose clock is behind.
    await server.cli('DEL', 'afterimage-events');
    await server.cli('XADD', 'afterimage-events', '5-0', 'origin', 'other:1', 'event', '{}');
    await eventually(() => one.heard.gaps.length === 1, 'the gap is declared');
    await server.cli('XSETID', 'afterimage-events', '6-0');
    await server.cli(
      'XADD',
      'afterimage-events',
      '7-0',
      'origin',
      'o:2',
      'event',
      JSON.stringify(draftOf('b')),
    );
    await one.heard.until(2);
    expect(idsOf(one.heard.events)).toEqual(['a', 'b']);
  });

  it('declares a gap when Redis restarts empty, and goes on', async () => {
    const [one, two] = [await join(), await join()];
    await one.bus.publish(draftOf('a'));
    await Promise.all([one.heard.until(1), two.heard.until(1)]);
    await server.kill();
    await server.start();
    await eventually(() => one.heard.gaps.length > 0 && two.heard.gaps.length > 0, 'both declare it');
    await eventually(() => one.clients.data.status === 'ready', 'it can publish');
    await one.bus.publish(draftOf('b'));
    await Promise.all([one.heard.until(2), two.heard.until(2)]);
    expect(idsOf(two.heard.events)).toEqual(['a', 'b']);
  });

  it('passes over entries that are no events', async () => {
    const one = await join();
    await server.cli('XADD', 'afterimage-events', '*', 'origin', 'x:1', 'event', '{"name":7}');
    await server.cli('XADD', 'afterimage-events', '*', 'some', 'thing');
    await one.bus.publish(draftOf('a'));
    await one.heard.until(1);
    expect(idsOf(one.heard.events)).toEqual(['a']);
  });
});

describe('while Redis is away', () => {
  it('events reach those who are here, and the others when it is back, each once', async () => {
    const [one, two] = [await join(), await join()];
    await one.bus.publish(draftOf('before'));
    await two.heard.until(1);
    server.freeze();
    try {
      const before = one.bus.head();
      await one.bus.publish(partialOf('x', 0));
      const event = await one.bus.publish(draftOf('x'));
      expect(idsOf(one.heard.events)).toEqual(['before', 'x~0', 'x']);
      expect(compareCursors(event.cursor, before)).toBeGreaterThan(0);
      expect(one.bus.head()).toBe(event.cursor);
      expect(idsOf((await one.bus.replay(['image:x'], before)).events)).toEqual(['x']);
      expect(one.bus.stats()).toMatchObject({ local: true, publishedHere: 2 });
      await eventually(() => !one.bus.stats().connected, 'it noticed');
    } finally {
      server.thaw();
    }
    await eventually(() => !one.bus.stats().local, 'it is back');
    await one.bus.publish(draftOf('after'));
    await eventually(() => idsOf(two.heard.events).at(-1) === 'after', 'the other goes on');
    await eventually(() => idsOf(one.heard.events).at(-1) === 'after', 'and this one');
    expect(idsOf(one.heard.events)).toEqual(['before', 'x~0', 'x', 'after']);
    // What was sent before it was noticed that nobody answers may have arrived after all: once, too.
    const finals = idsOf(two.heard.events).filter((id) => id !== 'x~0');
    expect(finals).toEqual(['before', 'x', 'after']);
    expect(one.switches).toEqual(['local', 'shared']);
  });

  it('a cursor from then gets a gap afterwards, on every instance', async () => {
    const [one, two] = [await join(), await join()];
    await one.bus.publish(draftOf('before'));
    await server.kill();
    await eventually(() => one.clients.data.status !== 'ready', 'it noticed');
    const event = await one.bus.publish(draftOf('x'));
    await server.start();
    await eventually(() => !one.bus.stats().local, 'it is back');
    await two.heard.until(2);
    for (const { bus } of [one, two]) {
      expect((await bus.replay(['*'], event.cursor)).gap).toBe('disconnected');
      expect((await bus.replay(['*'], bus.head())).gap).toBeUndefined();
    }
  });

  it('an instance that starts then serves alone, and joins when Redis is there', async () => {
    await server.kill();
    const one = await join(false);
    const start = one.bus.head();
    await one.bus.publish(draftOf('a'));
    expect(idsOf(one.heard.events)).toEqual(['a']);
    expect(idsOf((await one.bus.replay(['*'], start)).events)).toEqual(['a']);
    await server.start();
    const two = await join();
    await eventually(() => !one.bus.stats().local, 'it joined');
    // Others may have published before that.
    expect(one.heard.gaps).toEqual(['disconnected']);
    await two.bus.publish(draftOf('b'));
    await one.heard.until(2);
    expect(idsOf(one.heard.events)).toEqual(['a', 'b']);
    expect(idsOf((await two.bus.replay(['*'], '1-0')).events)).toEqual(['a', 'b']);
    expect(idsOf((await one.bus.replay(['*'], '1-0')).events)).toEqual(['a', 'b']);
  });

  it('what is owed to the others is bounded', async () => {
    const one = await join();
    await server.kill();
    await eventually(() => one.clients.data.status !== 'ready', 'it noticed');
    for (let n = 0; n < 1500; n += 1) await one.bus.publish(draftOf(`i${n}`));
    expect(one.bus.stats()).toMatchObject({ owed: 1000, dropped: 500, delivered: 1500 });
  });
});
