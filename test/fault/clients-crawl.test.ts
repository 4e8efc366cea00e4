/** Clients that drip and stand still, on a bad line or out of malice. Mostly waiting: side by side. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { makePng } from '../../bench/make-png.ts';
import { eventually } from '../fixtures/eventually.ts';
import { openRaw, type RawConnection } from '../fixtures/raw-http.ts';
import { openRawStream } from '../fixtures/raw-stream.ts';
import { openRawWebSocket } from '../fixtures/raw-web-socket.ts';
import { startFaultServer, type FaultServer } from './suite/fault-server.ts';
import { proveFault } from './suite/prove-fault.ts';
import { get, HOST, put, several, store } from './suite/raw-requests.ts';

const MIB = 1024 * 1024;
const LARGE = makePng(5 * MIB, 7);

describe.concurrent('Clients that crawl', () => {
  const servers: FaultServer[] = [];
  const start = async (settings: Readonly<Record<string, string>> = {}): Promise<FaultServer> => {
    const server = await startFaultServer(settings);
    servers.push(server);
    return server;
  };
  afterAll(async () => {
    for (const server of servers) await server.close();
  });

  it('uploads that drip hold neither the budget nor a place for long', async () => {
    const server = await start();
    const drips: RawConnection[] = [];
    await proveFault(server, {
      name: 'Client: uploads that drip',
      how: '12 uploads of 32 MB each, a byte every 100 ms, until they are cut',
      async inject({ load }) {
        drips.push(...(await several(12, async () => openRaw(server.port()))));
        for (const raw of drips) raw.send(put('drip', 32 * MIB));
        const dripping = setInterval(() => {
          for (const raw of drips) raw.send('\x89');
        }, 100);
        await load.more(300);
        await Promise.all(drips.map(async (raw) => raw.ended()));
        clearInterval(dripping);
      },
    });
  }, 60_000);

  it('heads that come a byte at a time are cut', async () => {
    const server = await start();
    await proveFault(server, {
      name: 'Client: heads that drip',
      how: '50 connections send a byte of their head every 200 ms, until they are cut',
      async inject() {
        const crawlers = await several(50, async () => openRaw(server.port()));
        let sent = 0;
        const head = `GET /images/a ${HOST}X: ${'x'.repeat(4000)}`;
        const dripping = setInterval(() => {
          for (const raw of crawlers) raw.send(head[sent] ?? 'x');
          sent += 1;
        }, 200);
        await Promise.all(crawlers.map(async (raw) => raw.ended()));
        clearInterval(dripping);
      },
    });
  }, 60_000);

  it('downloads that stand still are cut, and cost no copy of what they asked for', async () => {
    const server = await start();
    await store(server, 'large', LARGE);
    await proveFault(server, {
      name: 'Client: downloads that stand still',
      how: '60 connections ask for 5 MB and read nothing, until they are cut',
      async inject() {
        const before = (await server.stats()).memory.rss_bytes;
        const stalled = await several(60, async () => {
          const socket = connect({ port: server.port(), host: '127.0.0.1' });
          socket.on('error', () => undefined);
          await once(socket, 'connect');
          socket.pause();
          socket.write(get('/images/large'));
          return socket;
        });
        await sleep(500);
        expect((await server.stats()).memory.rss_bytes - before).toBeLessThan(150 * MIB);
        await eventually(async () => (await server.metric('process_open_fds')) < 60, 'they are cut', 30_000);
        for (const socket of stalled) socket.destroy();
      },
    });
  }, 60_000);

  it('streams that are never read are ended, and cost what they may', async () => {
    const budgetBytes = 512 * 1024;
    const server = await start({ EVENTS_STALL_S: '2', EVENTS_SUBSCRIBER_KB: '512' });
    await proveFault(server, {
      name: 'Client: streams that are never read',
      how: '5 SSE and 5 WebSocket readers that stand still while 100 images come inline',
      async inject() {
        const query = 'topic=heavy&inline=full&inline_max=262144';
        const sse = await several(5, async () => openRawStream(server.port(), `/events?${query}`));
        const ws = await several(5, async () => openRawWebSocket(server.port(), `/ws?${query}`));
        for (const reader of [...sse, ...ws]) reader.stopReading();
        for (let at = 0; at < 100; at += 1) {
          const body = makePng(180_000, 3000 + at);
          await server.ask(`/images/heavy-${at % 10}?topic=heavy`, { method: 'PUT', body });
          const { waitingBytes, subscribers } = (await server.stats()).events;
          expect(waitingBytes).toBeLessThanOrEqual(10 * (budgetBytes + 300_000));
          // The load's own reader stays.
          if (subscribers === 1) break;
        }
        await eventually(async () => (await server.stats()).events.subscribers === 1, 'they are ended');
        for (const reader of [...sse, ...ws]) reader.destroy();
      },
      async after({ load }) {
        expect(load.reconnects()).toBe(0);
      },
    });
  }, 60_000);
});
