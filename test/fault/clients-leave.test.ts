/** Clients that leave at every stage of an upload and a download, end their side, or ask without waiting. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makePng } from '../../bench/make-png.ts';
import { eventually } from '../fixtures/eventually.ts';
import { openRaw, type RawConnection } from '../fixtures/raw-http.ts';
import { startFaultServer, type FaultServer } from './suite/fault-server.ts';
import { proveFault } from './suite/prove-fault.ts';
import { get, HOST, put, several, store } from './suite/raw-requests.ts';

const MIB = 1024 * 1024;
const LARGE = makePng(5 * MIB, 7);
const SMALL = makePng(1500, 8);
/** Beyond what a tier holds in memory: read from disk as it is taken. */
const HUGE = makePng(12 * MIB, 9);

describe('Clients that leave', () => {
  const TIMES = 15;
  let server: FaultServer;
  beforeAll(async () => {
    server = await startFaultServer();
    await store(server, 'large', LARGE);
    await store(server, 'huge', HUGE);
  });
  afterAll(async () => server.close());

  /** Does so much with a connection of its own, then breaks it off. */
  async function leaveAfter(steps: (raw: RawConnection, at: number) => Promise<void> | void): Promise<void> {
    await several(TIMES, async (at) => {
      const raw = await openRaw(server.port());
      await steps(raw, at);
      raw.socket.resetAndDestroy();
    });
  }

  it.each<[string, (raw: RawConnection, at: number) => Promise<void> | void]>([
    ['after the head of an upload', (raw, at) => raw.send(put(`left-${at}`, 1500))],
    [
      'inside the body of an upload',
      async (raw, at) => {
        raw.send(put(`left-${at}`, LARGE.length));
        raw.send(LARGE.subarray(0, 3 * MIB));
        await sleep(20);
      },
    ],
    [
      'inside a chunked upload',
      async (raw, at) => {
        raw.send(`PUT /images/left-${at} ${HOST}Transfer-Encoding: chunked\r\n\r\n400\r\n`);
        raw.send(SMALL.subarray(0, 0x400));
        await sleep(20);
      },
    ],
    [
      'before the answer to an upload',
      (raw, at) => {
        raw.send(put(`left-${at}`, SMALL.length));
        raw.send(SMALL);
      },
    ],
    ['before the answer to a download', (raw) => raw.send(get('/images/huge'))],
    [
      'inside a download from memory',
      async (raw) => {
        raw.send(get('/images/large'));
        await raw.until(/\r\n\r\n/);
      },
    ],
    [
      'inside a download from disk',
      async (raw) => {
        raw.send(get('/images/huge'));
        await raw.until(/\r\n\r\n/);
      },
    ],
    [
      'during a rendering',
      (raw, at) => raw.send(get(`/images/large?w=${[64, 128, 256][at % 3]}&q=${50 + at}`)),
    ],
    [
      'inside a stream of events',
      async (raw) => {
        raw.send(get('/events?topic=load'));
        await raw.until(/\r\n\r\n/);
      },
    ],
  ])('%s', async (stage, steps) => {
    await proveFault(server, {
      name: `Client: leaves ${stage}`,
      how: `${TIMES} connections reset, twice`,
      async inject() {
        await leaveAfter(steps);
        await leaveAfter(steps);
      },
      async after() {
        // What nobody heard of being accepted is whole, or not there.
        for (let at = 0; at < TIMES; at += 1) {
          const answer = await server.ask(`/images/left-${at}`);
          if (answer.status === 200) expect(answer.body.equals(SMALL)).toBe(true);
          else expect(answer.status).toBe(404);
        }
      },
    });
  });

  it('half-closed: whoever ends its side is answered or cut, and never kept', async () => {
    await proveFault(server, {
      name: 'Client: half-closed',
      how: 'FIN right after the request, inside a body and inside a stream; the answer is read on',
      async inject() {
        await several(TIMES, async (at) => {
          const raw = await openRaw(server.port());
          raw.send([get('/images/large'), put(`half-${at}`, 1500), get('/events?topic=load')][at % 3] ?? '');
          raw.socket.end();
          await raw.ended();
        });
      },
    });
  });

  it('pipelined: answers come in their order, each for its own request', async () => {
    const paths = Array.from({ length: 60 }, (_, at) => `/images/pipe-${at % 3}`);
    const images = [0, 1, 2].map((at) => makePng(2000, 900 + at));
    for (const [at, image] of images.entries()) await store(server, `pipe-${at}`, image);
    await proveFault(server, {
      name: 'Client: pipelined requests',
      how: '60 in one packet; hits in memory, then with a rendering among them',
      async inject() {
        const raw = await openRaw(server.port());
        raw.send(paths.map(get).join(''));
        const ends = (): number => raw.received().split('IEND').length - 1;
        await eventually(
          () => ends() === paths.length && raw.received().endsWith('\xaeB`\x82'),
          'all are answered',
        );
        const bodies = raw
          .received()
          .split(/HTTP\/1\.1 200 OK\r\n.*?\r\n\r\n/s)
          .slice(1);
        expect(bodies.map((body) => images.findIndex((image) => image.toString('latin1') === body))).toEqual(
          paths.map((_, at) => at % 3),
        );
        raw.close();
        // The library gives a connection up where a request finds another unanswered: no order, no answer.
        const mixed = await openRaw(server.port());
        mixed.send(get('/images/pipe-0') + get('/images/pipe-1?w=64&format=png') + get('/images/pipe-2'));
        await Promise.race([mixed.ended(), sleep(500)]);
        const [first, ...others] = mixed
          .received()
          .split(/HTTP\/1\.1 200 OK\r\n.*?\r\n\r\n/s)
          .slice(1);
        if (first !== undefined) expect(first).toBe(images[0]?.toString('latin1'));
        if (others.length === 2) expect(others[1]).toBe(images[2]?.toString('latin1'));
        mixed.close();
      },
    });
  });
});
