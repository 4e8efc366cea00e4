/** Readers that stall, by experiment (A, S, B, E, C, D, F over SSE; W, X, V over WebSocket). */
import { afterAll, describe, expect, it } from 'vitest';
import { startEventServer, type EventServer } from '../fixtures/event-server.ts';
import { finalOf, partialOf, until } from '../fixtures/events.ts';
import { openRawStream, type RawStream } from '../fixtures/raw-stream.ts';
import { openRawWebSocket, type RawWebSocket } from '../fixtures/raw-web-socket.ts';

const MIB = 1024 * 1024;
/** About 300 KB as base64 in a frame. */
const IMAGE = Buffer.alloc(220_000, 7);
const FULL = 'topic=*&inline=full&inline_max=262144';
/** About 60 MB: far more than the kernel takes for a reader that stands still, which is up to 10 MB here. */
const IMAGES_MAX = 200;
/** Longer than the twelve seconds after which the library cuts a reader by itself. */
const BEYOND_LIBRARY_MS = 14_000;

const servers: EventServer[] = [];
const readers: { destroy(): void }[] = [];

afterAll(async () => {
  for (const reader of readers) reader.destroy();
  for (const server of servers) await server.stop();
});

async function start(hub: Parameters<typeof startEventServer>[0]): Promise<EventServer> {
  const loadInline = async () => ({ mime: 'image/webp', bytes: IMAGE });
  const server = await startEventServer({ loadInline, ...hub });
  servers.push(server);
  return server;
}

async function sse(server: EventServer, query: string, headers = ''): Promise<RawStream> {
  const reader = await openRawStream(server.port, `/events?${query}`, headers);
  readers.push(reader);
  return reader;
}

async function ws(server: EventServer, query: string): Promise<RawWebSocket> {
  const reader = await openRawWebSocket(server.port, `/ws?${query}`);
  readers.push(reader);
  return reader;
}

const pause = async (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
/** Publishes finals i0, i1 … with time between them for deliveries, until it is so; the names of all. */
async function publishUntil(
  server: EventServer,
  isTrue: () => boolean,
  pace: (published: number) => Promise<void> = async () => pause(2),
): Promise<readonly string[]> {
  const published: string[] = [];
  while (!isTrue()) {
    // On a busy machine deliveries are behind what is published: they come.
    if (published.length >= IMAGES_MAX) {
      await until('more than the kernel takes has been delivered', isTrue);
      break;
    }
    published.push(`i${published.length}`);
    await server.bus.publish(finalOf(`i${published.length - 1}`));
    await pace(published.length);
  }
  return published;
}

const idsOf = (reader: RawStream): string[] =>
  reader
    .events()
    .filter(({ event }) => event === 'image.ready')
    .map(({ data }) => JSON.parse(data).id);

const reasonOf = (reader: RawStream): unknown => {
  const close = reader.events().find(({ event }) => event === 'close');
  return close === undefined ? undefined : JSON.parse(close.data).reason;
};

describe.concurrent('a reader of /events that does not read', () => {
  it('A: is cut as slow at its budget, however often is written, and resumes by cursor without loss', async () => {
    const server = await start({ hub: { budgetBytes: 2 * MIB } });
    const [reader, fast] = await Promise.all([sse(server, FULL), sse(server, FULL)]);
    reader.stopReading();
    let mostWaiting = 0;
    const isCut = (): boolean => {
      const { waitingBytes, cut } = server.hub.stats();
      mostWaiting = Math.max(mostWaiting, waitingBytes);
      return cut.slow === 1;
    };
    // As fast as the fast one reads: on a busy machine it would be cut, too.
    const ids = await publishUntil(server, isCut, async (published) =>
      until('the fast one has it', () => fast.events().length === published),
    );
    expect(mostWaiting).toBeLessThanOrEqual(2 * MIB);
    expect(server.hub.stats().subscribers).toBe(1);
    await until('the fast one has all', () => idsOf(fast).length === ids.length);
    expect(server.hub.stats().waitingBytes).toBe(0);
    // What was on its way still comes, then the reason.
    reader.goOnReading();
    await until('it was told', () => reader.isEnded());
    expect(reasonOf(reader)).toBe('slow');
    const resumed = await sse(server, FULL, `Last-Event-ID: ${reader.lastId()}\r\n`);
    await until('it has all', () => idsOf(reader).length + idsOf(resumed).length >= ids.length);
    expect([...idsOf(reader), ...idsOf(resumed)]).toEqual(ids);
  }, 30_000);

  it('S: is cut as stalled after our deadline, with nothing more written', async () => {
    const server = await start({ hub: { stallMs: 2000, budgetBytes: 64 * MIB } });
    const reader = await sse(server, FULL);
    reader.stopReading();
    await publishUntil(server, () => server.hub.stats().blocked === 1);
    expect(server.hub.slowest(5)).toMatchObject([{ transport: 'sse', topics: ['*'] }]);
    await until('it is cut', () => server.hub.stats().cut.stalled === 1);
    expect(server.hub.stats()).toMatchObject({ subscribers: 0, waitingBytes: 0 });
    reader.goOnReading();
    await until('it was told', () => reader.isEnded());
    expect(reasonOf(reader)).toBe('stalled');
  }, 30_000);

  it('B, C, D, E, F: gets everything when it reads again, and stays for what comes later', async () => {
    const server = await start({ hub: { stallMs: 60_000, heartbeatMs: 1000, budgetBytes: 64 * MIB } });
    const [soon, late] = await Promise.all([sse(server, FULL), sse(server, FULL)]);
    for (const reader of [soon, late]) reader.stopReading();
    const isBehind = (): boolean => server.hub.stats().blocked === 2 && server.hub.stats().waitingBytes > MIB;
    const ids = await publishUntil(server, isBehind);
    await pause(500);
    soon.goOnReading();
    await until('the burst is there', () => idsOf(soon).length === ids.length);
    await pause(BEYOND_LIBRARY_MS);
    // One has been idle but for heartbeats, the other has stood still: the library would have cut both.
    expect(server.hub.stats()).toMatchObject({ subscribers: 2, left: 0 });
    late.goOnReading();
    await server.bus.publish(finalOf('later'));
    await until('both have it', () => [soon, late].every((reader) => idsOf(reader).includes('later')));
    for (const reader of [soon, late]) expect(idsOf(reader)).toEqual([...ids, 'later']);
    expect(server.hub.stats().cut).toMatchObject({ slow: 0, stalled: 0 });
  }, 40_000);

  it('gets the newest partial of an image instead of every one that it slept through', async () => {
    const server = await start({ hub: { budgetBytes: 4 * MIB } });
    const [reader, fast] = await Promise.all([sse(server, FULL), sse(server, FULL)]);
    reader.stopReading();
    for (const index of Array.from({ length: 60 }).keys()) {
      await server.bus.publish(partialOf('open', index));
      await server.bus.publish(partialOf('finished', index));
      await pause(2);
    }
    await server.bus.publish(finalOf('finished'));
    await until('the fast one has it', () => idsOf(fast).includes('finished'));
    expect(server.hub.stats().cut.slow).toBe(0);
    reader.goOnReading();
    await until('the final came', () => idsOf(reader).includes('finished'));
    const indexes = reader.events().flatMap(({ event, data }) => {
      const { id, partial_index: index } = JSON.parse(data);
      return event === 'image.partial' && id === 'open' ? [index] : [];
    });
    expect(indexes.at(-1)).toBe(59);
    expect(indexes.length).toBeLessThan(40);
    expect(indexes).toEqual(indexes.toSorted((a, b) => a - b));
  }, 30_000);

  it('one that crawls does not hold up the others', async () => {
    const server = await start({ hub: { budgetBytes: 2 * MIB } });
    const crawler = await sse(server, FULL);
    const fast = await Promise.all(Array.from({ length: 20 }, async () => sse(server, FULL)));
    crawler.stopReading();
    const crawl = setInterval(() => crawler.socket.read(1000), 100);
    const ids = await publishUntil(server, () => server.hub.stats().published === 20);
    await until('all others have all', () => fast.every((reader) => idsOf(reader).length === 20));
    clearInterval(crawl);
    for (const reader of fast) expect(idsOf(reader)).toEqual(ids);
  }, 30_000);
});

describe.concurrent('a reader of /ws that does not read', () => {
  const idsOfWs = (reader: RawWebSocket): unknown[] =>
    reader
      .messages<{ event?: string; data?: { id: string } }>()
      .filter(({ event }) => event === 'image.ready')
      .map(({ data }) => data?.id);

  it('W: loses nothing in silence: what waited comes when it reads again', async () => {
    const server = await start({ hub: { budgetBytes: 64 * MIB } });
    const reader = await ws(server, FULL);
    reader.stopReading();
    const ids = await publishUntil(server, () => server.hub.stats().waitingBytes > 2 * MIB);
    reader.goOnReading();
    await until('all came', () => idsOfWs(reader).length === ids.length, 20_000);
    expect(idsOfWs(reader)).toEqual(ids);
  }, 30_000);

  it('X: is told why before it is closed at its budget', async () => {
    const server = await start({ hub: { budgetBytes: 2 * MIB } });
    const reader = await ws(server, FULL);
    reader.stopReading();
    const ids = await publishUntil(server, () => server.hub.stats().cut.slow === 1);
    reader.goOnReading();
    await until('it is closed', () => reader.closeCode() !== undefined, 20_000);
    expect(reader.closeCode()).toBe(3008);
    expect(reader.messages().at(-1)).toEqual({ type: 'event', event: 'close', data: { reason: 'slow' } });
    const got = idsOfWs(reader);
    expect(got).toEqual(ids.slice(0, got.length));
  }, 30_000);

  it('V: gets messages that are larger than its budget, one after the other', async () => {
    const huge = Buffer.alloc(3 * MIB, 7);
    const server = await start({
      loadInline: async () => ({ mime: 'image/webp', bytes: huge }),
      hub: { budgetBytes: MIB, frameCacheBytes: 64 * MIB },
    });
    const reader = await ws(server, 'topic=*&inline=full&inline_max=4194304&binary=1');
    reader.stopReading();
    for (const id of ['a', 'b', 'c']) {
      await server.bus.publish(finalOf(id));
      await pause(100);
    }
    expect(server.hub.stats().cut.slow).toBe(0);
    reader.goOnReading();
    const images = (): number => reader.frames().filter(({ binary }) => binary).length;
    await until('all came', () => images() === 3, 20_000);
    for (const { binary, bytes } of reader.frames())
      if (binary) expect(bytes.byteLength).toBeGreaterThan(3 * MIB);
  }, 30_000);
});
