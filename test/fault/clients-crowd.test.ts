/** Ten thousand clients at once. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { makePng } from '../../bench/make-png.ts';
import { eventually } from '../fixtures/eventually.ts';
import { startFaultServer, type FaultServer } from './suite/fault-server.ts';
import { proveFault } from './suite/prove-fault.ts';
import { get } from './suite/raw-requests.ts';

describe('Clients by thousands', () => {
  const STREAMS = 10_000;
  const IDLE = 1000;
  const AT_ONCE = 250;
  let server: FaultServer;
  beforeAll(async () => {
    server = await startFaultServer();
  });
  afterAll(async () => server.close());

  async function crowd(count: number, request: string, onData: (bytes: Buffer) => void): Promise<Socket[]> {
    const sockets: Socket[] = [];
    while (sockets.length < count) {
      const some = Array.from({ length: AT_ONCE }, () => connect({ port: server.port(), host: '127.0.0.1' }));
      await Promise.all(some.map(async (socket) => once(socket, 'connect')));
      for (const socket of some) {
        socket.on('error', () => undefined);
        socket.on('data', onData);
        socket.write(request);
      }
      sockets.push(...some);
    }
    return sockets;
  }

  it('ten thousand streams are all told, while others are served', async () => {
    await proveFault(server, {
      name: 'Client: 10,000 connections',
      how: `${STREAMS} streams of events and ${IDLE} idle connections; 3 events to all, then all leave at once`,
      async inject() {
        let told = 0;
        const streams = await crowd(STREAMS, get('/events?topic=crowd'), (bytes) => {
          if (bytes.includes('event: image.ready'))
            told += bytes.toString().split('event: image.ready').length - 1;
        });
        const idle = await crowd(IDLE, get('/livez'), () => undefined);
        await eventually(async () => (await server.stats()).events.subscribers === STREAMS + 1, 'all follow');
        for (const at of [1, 2, 3]) {
          await server.ask('/images/crowd?topic=crowd', { method: 'PUT', body: makePng(1500, 4000 + at) });
        }
        await eventually(() => told === 3 * STREAMS, 'all are told');
        for (const socket of [...streams, ...idle]) socket.resetAndDestroy();
      },
    });
  }, 60_000);
});
