import { afterEach, describe, expect, it } from 'vitest';
import { startEventServer, type EventServer, type EventServerOptions } from '../fixtures/event-server.ts';
import { finalOf, partialOf, until } from '../fixtures/events.ts';
import { openRawWebSocket, type RawWebSocket } from '../fixtures/raw-web-socket.ts';

const running: EventServer[] = [];
const open: RawWebSocket[] = [];

afterEach(async () => {
  for (const socket of open.splice(0)) socket.destroy();
  for (const server of running.splice(0)) await server.stop();
});

async function start(options: EventServerOptions = {}): Promise<EventServer> {
  const server = await startEventServer(options);
  running.push(server);
  return server;
}

async function connect(server: EventServer, query: string, headers = ''): Promise<RawWebSocket> {
  const socket = await openRawWebSocket(server.port, `/ws?${query}`, headers);
  open.push(socket);
  return socket;
}

interface Message {
  readonly type: string;
  readonly event?: string;
  readonly cursor?: string;
  readonly data?: { readonly id: string; readonly reason?: string };
  readonly code?: string;
}

const eventsOf = (socket: RawWebSocket): Message[] =>
  socket.messages<Message>().filter(({ type }) => type === 'event');
const idsOf = (socket: RawWebSocket): (string | undefined)[] => eventsOf(socket).map(({ data }) => data?.id);
const hasType = (socket: RawWebSocket, type: string): boolean =>
  socket.messages<Message>().some((message) => message.type === type);

describe('GET /ws (docs/protocol.md 2.6)', () => {
  it('says where it stands, then gives events as JSON', async () => {
    const server = await start();
    const socket = await connect(server, 'topic=job:1');
    await until('it stands', () => hasType(socket, 'position'));
    expect(socket.messages()[0]).toEqual({ type: 'position', cursor: server.bus.head() });
    const { cursor } = await server.bus.publish(finalOf('a', ['job:1']));
    await until('a came', () => idsOf(socket).length === 1);
    expect(eventsOf(socket)[0]).toMatchObject({ event: 'image.ready', cursor, data: { id: 'a' } });
  });

  it('gives what came at once in order and whole, be it more than one write holds', async () => {
    const server = await start();
    const socket = await connect(server, 'topic=*');
    await until('it stands', () => hasType(socket, 'position'));
    const names = Array.from({ length: 60 }, (_, index) => `i${index}`);
    for (const [index, id] of names.entries()) {
      void server.bus.publish({ ...finalOf(id), thumbnail: 'A'.repeat(index % 9 === 8 ? 20_000 : 6000) });
    }
    await until('all came', () => eventsOf(socket).length === names.length);
    expect(idsOf(socket)).toEqual(names);
  });

  it('follows more and less by message', async () => {
    const server = await start();
    const socket = await connect(server, '');
    await server.bus.publish(finalOf('before', ['job:1']));
    socket.send({ type: 'subscribe', topics: ['job:1', 'job:2'] });
    await until('it is subscribed', () => hasType(socket, 'subscribed'));
    await server.bus.publish(finalOf('a', ['job:1']));
    await until('a came', () => idsOf(socket).length === 1);
    socket.send({ type: 'unsubscribe', topics: ['job:1'] });
    await until('it is unsubscribed', () => hasType(socket, 'unsubscribed'));
    await server.bus.publish(finalOf('b', ['job:1']));
    await server.bus.publish(finalOf('c', ['job:2']));
    await until('c came', () => idsOf(socket).includes('c'));
    expect(idsOf(socket)).toEqual(['a', 'c']);
    expect(server.hub.stats().topics).toBe(1);
  });

  it('replays a new topic from a cursor without repeating what the old ones had', async () => {
    const server = await start();
    const socket = await connect(server, 'topic=job:1');
    const since = server.bus.head();
    await server.bus.publish(finalOf('both', ['job:1', 'job:2']));
    await server.bus.publish(finalOf('new-only', ['job:2']));
    await server.bus.publish(partialOf('open', 0, ['job:2']));
    await until('the old topic came', () => idsOf(socket).length === 1);
    socket.send({ type: 'subscribe', topics: ['job:2'], since });
    await until('the new one came', () => idsOf(socket).length >= 3);
    await server.bus.publish(finalOf('open', ['job:1', 'job:2']));
    await until('the live one came', () => idsOf(socket).length >= 4);
    expect(idsOf(socket)).toEqual(['both', 'new-only', 'open', 'open']);
  });

  it('sends images as bytes behind their JSON with binary=1', async () => {
    const bytes = Buffer.from([0, 1, 2, 250, 251, 252]);
    const server = await start({ loadInline: async () => ({ mime: 'image/webp', bytes }) });
    const socket = await connect(server, 'topic=*&inline=full&binary=1');
    await server.bus.publish(finalOf('a'));
    await server.bus.publish({ ...finalOf('a'), name: 'image.deleted', bodyKey: '', thumbnail: '' });
    await until('both came', () => socket.frames().length === 3);
    const [, withImage, without] = socket.frames();
    expect(withImage?.binary).toBe(true);
    const frame = withImage?.bytes ?? Buffer.alloc(4);
    const length = frame.readUInt32BE(0);
    const message = JSON.parse(frame.subarray(4, 4 + length).toString());
    expect(message).toMatchObject({
      type: 'event',
      event: 'image.ready',
      data: { image_mime: 'image/webp' },
    });
    expect(message.data).not.toHaveProperty('image_data');
    expect(frame.subarray(4 + length)).toEqual(bytes);
    expect(without?.binary).toBe(false);
    expect(JSON.parse(without?.bytes.toString() ?? '')).toMatchObject({ event: 'image.deleted' });
  });

  it('answers pings, and mistakes with their code, and goes on', async () => {
    const server = await start({ hub: { topicsMax: 2 } });
    const socket = await connect(server, 'topic=a');
    for (const mistake of [
      'not json',
      { type: 'publish' },
      { type: 'subscribe', topics: [] },
      { type: 'subscribe', topics: ['a*b'] },
      { type: 'subscribe', topics: ['b'], since: 'x' },
      { type: 'subscribe', topics: ['b', 'c'] },
    ]) {
      socket.send(mistake);
    }
    socket.send({ type: 'ping' });
    await until('the pong came', () => hasType(socket, 'pong'));
    const codes = socket.messages<Message>().flatMap(({ code }) => code ?? []);
    expect(codes).toEqual([
      'message_invalid',
      'message_invalid',
      'message_invalid',
      'topic_invalid',
      'message_invalid',
      'query_invalid',
    ]);
    expect(socket.isClosed()).toBe(false);
  });

  it('refuses before the upgrade what it cannot follow', async () => {
    const server = await start({ hub: { subscribersMax: 0 }, corsOrigins: ['https://good.example'] });
    expect((await connect(server, 'topic=a*b')).head).toContain('400');
    expect((await connect(server, 'topic=a')).head).toContain('503');
    expect((await connect(server, 'topic=a', 'Origin: https://bad.example\r\n')).head).toContain('403');
    expect((await connect(server, 'topic=a', 'Origin: https://good.example\r\n')).head).toContain('503');
  });

  it('ends with a reason and a code that says to connect again', async () => {
    const server = await start();
    const socket = await connect(server, 'topic=a');
    await server.hub.close(0);
    await until('it is closed', () => socket.closeCode() !== undefined);
    expect(socket.closeCode()).toBe(3001);
    expect(eventsOf(socket)).toEqual([{ type: 'event', event: 'close', data: { reason: 'shutdown' } }]);
  });

  it('forgets a socket that its reader closed', async () => {
    const server = await start();
    const socket = await connect(server, 'topic=a');
    expect(server.hub.stats().byTransport['ws-json']).toBe(1);
    socket.destroy();
    await until('it is gone', () => server.hub.stats().subscribers === 0);
    expect(server.hub.stats()).toMatchObject({ topics: 0, left: 1 });
  });
});
