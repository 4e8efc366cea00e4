import { afterEach, describe, expect, it } from 'vitest';
import { startEventServer, type EventServer, type EventServerOptions } from '../fixtures/event-server.ts';
import { finalOf, partialOf, TINY_WEBP, until } from '../fixtures/events.ts';
import { openRawStream, type RawStream } from '../fixtures/raw-stream.ts';

const running: EventServer[] = [];
const open: RawStream[] = [];

afterEach(async () => {
  for (const stream of open.splice(0)) stream.destroy();
  for (const server of running.splice(0)) await server.stop();
});

async function start(options: EventServerOptions = {}): Promise<EventServer> {
  const server = await startEventServer(options);
  running.push(server);
  return server;
}

async function follow(server: EventServer, query: string, headers = ''): Promise<RawStream> {
  const stream = await openRawStream(server.port, `/events?${query}`, headers);
  open.push(stream);
  return stream;
}

const idsOf = (stream: RawStream): string[] => stream.events().map(({ data }) => JSON.parse(data).id);

async function problem(server: EventServer, query: string): Promise<[number, string, string | null]> {
  const response = await fetch(`http://127.0.0.1:${server.port}/events${query}`);
  const body: { code: string } = JSON.parse(await response.text());
  return [response.status, body.code, response.headers.get('retry-after')];
}

describe('GET /events (docs/protocol.md 2.1)', () => {
  it('opens a stream that proxies pass on unchanged and at once', async () => {
    const server = await start();
    const stream = await follow(server, 'topic=*', 'Origin: https://app.example\r\n');
    const head = stream.head().toLowerCase();
    expect(head).toContain('200 ok');
    for (const header of [
      'content-type: text/event-stream',
      'cache-control: no-cache, no-transform',
      'x-accel-buffering: no',
      'access-control-allow-origin: *',
    ]) {
      expect(head).toContain(header);
    }
    await until('the position came', () => stream.lastId() !== '');
    expect(stream.lastId()).toBe(server.bus.head());
  });

  it('gives each event once, however many of its topics match, and nothing that is not followed', async () => {
    const server = await start();
    const stream = await follow(server, 'topic=job:1&topic=job:*&topic=image:a&topic=user:7');
    await server.bus.publish(finalOf('other', ['team:1']));
    const { cursor } = await server.bus.publish(finalOf('a', ['job:1', 'job:2', 'user:7']));
    await server.bus.publish(finalOf('b', ['job:9']));
    await until('b came', () => idsOf(stream).includes('b'));
    expect(idsOf(stream)).toEqual(['a', 'b']);
    const [first] = stream.events();
    expect(first).toMatchObject({ id: cursor, event: 'image.ready' });
    expect(JSON.parse(first?.data ?? '')).toMatchObject({
      id: 'a',
      topics: ['job:1', 'job:2', 'user:7'],
      thumbnail: `data:image/webp;base64,${TINY_WEBP}`,
    });
  });

  it('gives what came at once in order and whole, be it more than one write holds', async () => {
    const server = await start();
    const streams = [await follow(server, 'topic=*'), await follow(server, 'topic=job:1')];
    const names = Array.from({ length: 60 }, (_, index) => `i${index}`);
    const thumbnail = (index: number): string =>
      'A'.repeat(index % 9 === 8 ? 20_000 : 1 + ((index * 7919) % 9000));
    for (const [index, id] of names.entries()) {
      void server.bus.publish({ ...finalOf(id, ['job:1']), thumbnail: thumbnail(index) });
    }
    await until('all came', () => streams.every((stream) => stream.events().length === names.length));
    for (const stream of streams) {
      expect(idsOf(stream)).toEqual(names);
      const lengths = stream.events().map(({ data }) => JSON.parse(data).thumbnail.split(',')[1].length);
      expect(lengths).toEqual(names.map((_, index) => thumbnail(index).length));
    }
  });

  it('adds what the inline mode asks for, and never the same bytes twice', async () => {
    const image = Buffer.alloc(900, 1);
    const asked: number[] = [];
    const server = await start({
      async loadInline(event, bytesMax) {
        asked.push(bytesMax);
        const bytes = event.data.id === 'tiny' ? Buffer.from(TINY_WEBP, 'base64') : image;
        return bytes.byteLength > bytesMax ? undefined : { mime: 'image/webp', bytes };
      },
    });
    const [none, full, small] = await Promise.all([
      follow(server, 'topic=*&inline=none'),
      follow(server, 'topic=*&inline=full&inline_max=5000'),
      follow(server, 'topic=*&inline=full&inline_max=600'),
    ]);
    await server.bus.publish(finalOf('a'));
    await server.bus.publish(finalOf('tiny'));
    await until('all came', () => [none, full, small].every((stream) => stream.events().length === 2));
    const dataOf = (stream: RawStream, index: number): unknown =>
      JSON.parse(stream.events()[index]?.data ?? '');
    const thumbnail = `data:image/webp;base64,${TINY_WEBP}`;
    expect(dataOf(none, 0)).not.toHaveProperty('thumbnail');
    expect(dataOf(full, 0)).toMatchObject({
      thumbnail,
      image_data: `data:image/webp;base64,${image.toString('base64')}`,
    });
    expect(dataOf(small, 0)).toMatchObject({ thumbnail });
    expect(dataOf(small, 0)).not.toHaveProperty('image_data');
    expect(dataOf(full, 1)).toMatchObject({ image_data: thumbnail });
    expect(dataOf(full, 1)).not.toHaveProperty('thumbnail');
    expect(asked.toSorted()).toEqual([4096, 4096, 512, 512]);
  });

  it.each([
    ['the header of EventSource', '', (cursor: string) => `Last-Event-ID: ${cursor}\r\n`],
    ['last_event_id', '&last_event_id=', () => ''],
    ['lastEventId', '&lastEventId=', () => ''],
  ])('resumes by %s: finals and newest partials in order, then live', async (_name, query, header) => {
    const server = await start();
    const { cursor } = await server.bus.publish(finalOf('seen', ['job:1']));
    await server.bus.publish(partialOf('done', 0, ['job:1']));
    await server.bus.publish(finalOf('elsewhere', ['job:2']));
    await server.bus.publish(partialOf('open', 0, ['job:1']));
    await server.bus.publish(finalOf('done', ['job:1']));
    await server.bus.publish(partialOf('open', 1, ['job:1']));
    const parameter = query === '' ? '' : `${query}${cursor}`;
    const stream = await follow(server, `topic=job:1${parameter}`, header(cursor));
    await server.bus.publish(finalOf('open', ['job:1']));
    await until('the live one came', () => stream.events().length >= 3);
    const seen = stream.events().map(({ event, data }) => [event, JSON.parse(data).id]);
    expect(seen).toEqual([
      ['image.ready', 'done'],
      ['image.partial', 'open'],
      ['image.ready', 'open'],
    ]);
  });

  it('says gap with its reason when a replay cannot be whole', async () => {
    const server = await start();
    await server.bus.publish(finalOf('a'));
    const [old, future] = await Promise.all([
      follow(server, 'topic=*&last_event_id=1000-0'),
      follow(server, `topic=*&last_event_id=${Date.now() + 1e9}-0`),
    ]);
    await until('both came', () => [old, future].every((stream) => stream.events().length === 2));
    expect(old.events()[0]).toMatchObject({ event: 'gap', data: '{"reason":"restarted"}' });
    expect(future.events()[0]).toMatchObject({ event: 'gap', data: '{"reason":"ahead"}' });
    expect(idsOf(future)[1]).toBe('a');
  });

  it('moves the position of an idle stream along, so that it never falls out of history', async () => {
    const server = await start({ hub: { heartbeatMs: 250 } });
    const stream = await follow(server, 'topic=job:1');
    const { cursor } = await server.bus.publish(finalOf('not-followed', ['job:2']));
    await until('a heartbeat moved it', () => stream.lastId() === cursor);
    expect(stream.events()).toEqual([]);
  });

  it('refuses what it cannot follow, with a code for each reason', async () => {
    const server = await start({ hub: { topicsMax: 2 } });
    expect(await problem(server, '')).toEqual([400, 'query_invalid', null]);
    expect(await problem(server, '?topic=a&topic=b&topic=c')).toEqual([400, 'query_invalid', null]);
    expect(await problem(server, '?topic=a*b')).toEqual([400, 'topic_invalid', null]);
    expect(await problem(server, '?topic=a&inline=all')).toEqual([400, 'query_invalid', null]);
    expect(await problem(server, '?topic=a&inline=full&inline_max=x')).toEqual([400, 'query_invalid', null]);
    expect(await problem(server, '?topic=a&last_event_id=zz')).toEqual([400, 'cursor_invalid', null]);
    expect(server.hub.stats().subscribers).toBe(0);
  });

  it('turns the next one away when it holds as many streams as it may, and takes one when one has left', async () => {
    const server = await start({ hub: { subscribersMax: 2 } });
    const [first] = await Promise.all([follow(server, 'topic=a'), follow(server, 'topic=b')]);
    expect(await problem(server, '?topic=c')).toEqual([503, 'too_many_connections', '5']);
    first.destroy();
    await until('it is gone', () => server.hub.stats().subscribers === 1);
    const third = await follow(server, 'topic=c');
    expect(third.head()).toContain('200 OK');
  });

  it('lets one address have only so many streams, where that is set', async () => {
    const server = await start({ hub: { perClientMax: 1 } });
    const first = await follow(server, 'topic=a');
    expect(await problem(server, '?topic=b')).toEqual([503, 'too_many_connections', '5']);
    first.destroy();
    await until('it is gone', () => server.hub.stats().subscribers === 0);
    expect((await follow(server, 'topic=b')).head()).toContain('200 OK');
  });

  it('tells every stream why, spread over the grace, when it stops', async () => {
    const server = await start();
    const streams = await Promise.all(Array.from({ length: 20 }, async () => follow(server, 'topic=*')));
    await server.hub.close(200);
    await until('all have ended', () => streams.every((stream) => stream.isEnded()));
    for (const stream of streams) {
      expect(stream.events()).toEqual([{ id: '', event: 'close', data: '{"reason":"shutdown"}' }]);
    }
    expect(await problem(server, '?topic=c')).toEqual([503, 'shutting_down', '1']);
    expect(server.hub.stats()).toMatchObject({ subscribers: 0, topics: 0, cut: { shutdown: 20 }, left: 0 });
  });

  it('gives a thousand streams one event each', async () => {
    const server = await start();
    const streams = await Promise.all(
      Array.from({ length: 1000 }, async () => follow(server, 'topic=job:*')),
    );
    expect(server.hub.stats()).toMatchObject({ subscribers: 1000, topics: 1 });
    await server.bus.publish(finalOf('a', ['job:1']));
    await until('all came', () => streams.every((stream) => stream.events().length === 1));
    expect(server.hub.stats()).toMatchObject({ published: 1, deliveries: 1000 });
  });
});
