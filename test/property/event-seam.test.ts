import fc from 'fast-check';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import type { ImageEvent } from '../../src/core/event.ts';
import { topicMatches } from '../../src/core/topic.ts';
import type { Bus } from '../../src/events/bus.ts';
import { createHub, type Hub } from '../../src/events/hub.ts';
import { createLocalBus } from '../../src/events/local-bus.ts';
import type { FrameMode, InlineMode } from '../../src/events/sink.ts';
import type { Subscriber } from '../../src/events/subscriber.ts';
import { HUB_OPTIONS } from '../fixtures/event-server.ts';
import { finalOf, partialOf } from '../fixtures/events.ts';
import { createFakeSink, drain, type FakeSink } from '../fixtures/fake-sink.ts';

const START_MS = 1_700_000_000_000;
const IMAGES = ['a', 'b', 'c'];
const TOPICS = ['job:1', 'job:2', 'user:1'];
const FILTERS = ['job:1', 'job:2', 'job:*', 'user:1', '*', 'image:a'];

const turns = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

/** A bus over a network: history answers late, and the listener hears later still. */
function remote(inner: Bus, replayTurns: number, listenTurns: number): Bus {
  return {
    ...inner,
    async replay(filters, since) {
      await turns(replayTurns);
      const found = await inner.replay(filters, since);
      await turns(replayTurns);
      return found;
    },
    listen(onEvent, onGap) {
      let before = Promise.resolve();
      inner.listen((event) => {
        before = before.then(async () => {
          await turns(listenTurns);
          onEvent(event);
        });
      }, onGap);
    },
  };
}

/** A reader that connects, stalls, is cut, leaves, and resumes by the last id that it has seen. */
function createReader(hub: Hub, filters: readonly string[], mode: FrameMode) {
  const got: string[] = [];
  const gaps: string[] = [];
  let lastId = '';
  let first: string | undefined;
  let sink: FakeSink | undefined;
  let subscriber: Subscriber | undefined;
  let read = 0;

  function readAll(): void {
    for (const text of sink?.texts().slice(read) ?? []) {
      read += 1;
      const [, id = ''] = /^id: (.*)$/m.exec(text) ?? [];
      if (id !== '') lastId = id;
      first ??= lastId;
      if (text.includes('event: gap')) gaps.push(text);
      else if (text.includes('data: ')) got.push(id);
    }
  }

  function connect(): void {
    if (subscriber !== undefined && !subscriber.isOver) return;
    readAll();
    read = 0;
    const opened = createFakeSink();
    sink = opened;
    const since = lastId === '' ? undefined : lastId;
    subscriber = hub.subscribe({ mode, filters, since, client: 'c', expiresAtMs: 0 }, () => opened);
    readAll();
  }

  return {
    got,
    gaps,
    filters,
    connect,
    first: () => first ?? '',
    stall: () => void (sink !== undefined && (sink.outcome = 'buffered')),
    readSome: () =>
      void (sink !== undefined && subscriber !== undefined && drain(subscriber, sink, 'buffered')),
    readOn: () => void (sink !== undefined && subscriber !== undefined && drain(subscriber, sink)),
    leave() {
      readAll();
      subscriber?.closed();
    },
    readAll,
    isOver: () => subscriber?.isOver ?? true,
  };
}

type Reader = ReturnType<typeof createReader>;

const operation = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('publish' as const),
      image: fc.constantFrom(...IMAGES),
      topics: fc.subarray(TOPICS),
      isFinal: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('turn' as const), count: fc.integer({ min: 1, max: 6 }) }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom('connect', 'stall', 'readSome', 'readOn', 'leave'),
      reader: fc.nat(2),
    }),
  },
);

const scenario = fc.record({
  operations: fc.array(operation, { minLength: 10, maxLength: 120 }),
  readers: fc.array(fc.subarray(FILTERS, { minLength: 1 }), { minLength: 3, maxLength: 3 }),
  inline: fc.constantFrom<InlineMode>('none', 'thumbnail', 'full'),
  replayTurns: fc.nat(3),
  listenTurns: fc.nat(3),
  loadTurns: fc.nat(3),
  budgetBytes: fc.constantFrom(600, 100_000),
  limitEvents: fc.constantFrom(4, 10_000),
});

type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never;

async function play(given: Scenario): Promise<{ readers: Reader[]; published: ImageEvent[] }> {
  const time = { ms: START_MS };
  const clock = { nowMs: () => (time.ms += 1) };
  const limits = { limitEvents: given.limitEvents, limitBytes: 1e9, maxAgeMs: 1e9 };
  const bus = remote(createLocalBus(limits, clock), given.replayTurns, given.listenTurns);
  const options = { ...HUB_OPTIONS, budgetBytes: given.budgetBytes };
  const loadInline = async () => {
    await turns(given.loadTurns);
    return { mime: 'image/webp', bytes: Buffer.alloc(100, 1) };
  };
  const hub = createHub(options, { bus, clock, log: pino({ level: 'silent' }), loadInline, random: () => 0 });
  const mode: FrameMode = { transport: 'sse', inline: given.inline, inlineMaxBytes: 1024 };
  const readers = given.readers.map((filters) => createReader(hub, filters, mode));
  for (const reader of readers) reader.connect();
  const published: ImageEvent[] = [];
  let partial = 0;

  for (const step of given.operations) {
    if (step.kind === 'turn') await turns(step.count);
    else if (step.kind === 'publish') {
      partial += 1;
      const draft = step.isFinal
        ? finalOf(step.image, step.topics)
        : partialOf(step.image, partial, step.topics);
      published.push(await bus.publish(draft));
    } else readers[step.reader]?.[step.kind]();
  }
  // In the end everybody reads, and comes back until nothing is missing.
  for (let round = 0; round < 60; round += 1) {
    for (const reader of readers) {
      reader.connect();
      reader.readOn();
    }
    await turns(8);
    for (const reader of readers) reader.readAll();
  }
  await hub.close(0);
  return { readers, published };
}

function owedTo(reader: Reader, published: readonly ImageEvent[]): ImageEvent[] {
  const since = published.findIndex(({ cursor }) => cursor === reader.first());
  return published
    .slice(since + 1)
    .filter(({ topics }) =>
      reader.filters.some((filter) => topics.some((topic) => topicMatches(filter, topic))),
    );
}

describe('a stream that stalls, is cut, leaves and resumes by cursor', () => {
  it('has every final exactly once and in order, or a declared gap, and the newest partial', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async (given) => {
        const { readers, published } = await play(given);
        for (const reader of readers) {
          const owed = owedTo(reader, published);
          const cursors = owed.map(({ cursor }) => cursor);
          expect(new Set(reader.got).size).toBe(reader.got.length);
          expect(reader.got).toEqual(cursors.filter((cursor) => reader.got.includes(cursor)));
          if (reader.gaps.length > 0) {
            expect(given.limitEvents).toBe(4);
            continue;
          }
          const finals = owed.filter(({ kind }) => kind === 'final').map(({ cursor }) => cursor);
          expect(reader.got.filter((cursor) => finals.includes(cursor))).toEqual(finals);
          for (const image of IMAGES) {
            const newest = published.findLast(({ data }) => data.id === image);
            if (newest !== undefined && cursors.includes(newest.cursor))
              expect(reader.got).toContain(newest.cursor);
          }
        }
      }),
      { numRuns: 150, endOnFailure: true },
    );
  }, 60_000);
});
