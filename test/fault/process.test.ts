/** What can happen to the server's process as a whole: told to stop, killed, stopped, starved, its clock set. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makePng } from '../../bench/make-png.ts';
import { eventually } from '../fixtures/eventually.ts';
import { openRaw, type RawConnection } from '../fixtures/raw-http.ts';
import { openRawStream } from '../fixtures/raw-stream.ts';
import { startFaultServer, type FaultServer } from './suite/fault-server.ts';
import { proveFault } from './suite/prove-fault.ts';

const CLOCK = fileURLToPath(new URL('../fixtures/shifted-clock.cjs', import.meta.url));
const HOUR_MS = 3_600_000;
const MIB = 1024 * 1024;

const put = (id: string, bytes: number): string =>
  `PUT /images/${id} HTTP/1.1\r\nHost: x\r\nContent-Length: ${bytes}\r\n\r\n`;

describe('Process', () => {
  let server: FaultServer;
  beforeAll(async () => {
    server = await startFaultServer();
  });
  afterAll(async () => server.close());

  it('SIGTERM: what has begun is finished, streams are told, accepted images are there afterwards', async () => {
    const image = makePng(5 * MIB, 77);
    await proveFault(server, {
      name: 'Process: SIGTERM',
      how: 'with uploads, a download and a stream under way, then started again',
      mayBreak: true,
      refusals: [503],
      async inject() {
        await server.ask('/images/large', { method: 'PUT', body: image });
        const stream = await openRawStream(server.port(), '/events?topic=load');
        const uploads = await Promise.all([1, 2, 3].map(async () => openRaw(server.port())));
        for (const [at, raw] of uploads.entries()) {
          raw.send(put(`slow-${at}`, 1500));
          raw.send(makePng(1500, at).subarray(0, 700));
        }
        const download = await openRaw(server.port());
        download.socket.once('data', () => download.socket.pause());
        download.send('GET /images/large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
        await download.until(/\r\n\r\n/);
        await eventually(
          async () => (await server.stats()).uploads_in_flight_bytes >= 4500,
          'uploads are under way',
        );
        server.kill('SIGTERM');
        await eventually(() => server.log().includes('stopping'), 'it is stopping');
        for (const [at, raw] of uploads.entries()) raw.send(makePng(1500, at).subarray(700));
        for (const raw of uploads) expect(await raw.until(/"version"/)).toMatch(/^HTTP\/1\.1 201 /);
        download.socket.resume();
        expect((await download.ended()).length).toBeGreaterThan(image.length);
        await eventually(() => stream.isEnded(), 'the stream has ended');
        expect(stream.events().at(-1)).toMatchObject({ event: 'close', data: '{"reason":"shutdown"}' });
        expect(await server.ended()).toBe(0);
      },
      heal: async () => server.restart(),
      async after() {
        for (const at of [0, 1, 2]) {
          const answer = await server.ask(`/images/slow-${at}`);
          expect(answer.body.equals(makePng(1500, at))).toBe(true);
        }
      },
    });
  });

  it('SIGKILL: what was accepted is there when it runs again, streams go on or know that they have a gap', async () => {
    await proveFault(server, {
      name: 'Process: SIGKILL',
      how: 'twice under load, each time started again on the same folder',
      mayBreak: true,
      async inject({ load }) {
        server.kill('SIGKILL');
        expect(await server.ended()).toBe('SIGKILL');
        await server.restart();
        await load.clean(20);
        server.kill('SIGKILL');
        await server.ended();
      },
      heal: async () => server.restart(),
    });
  });

  it('stands still for a second: everybody waits, nobody is cut', async () => {
    await proveFault(server, {
      name: 'Process: stands still',
      how: 'SIGSTOP for 1 s: the event loop, all threads',
      async inject() {
        server.kill('SIGSTOP');
        await sleep(1000);
        server.kill('SIGCONT');
      },
      async after({ load }) {
        expect(load.reconnects()).toBe(0);
      },
    });
  });
});

describe('Process without file handles', () => {
  const HANDLES = 20;
  let server: FaultServer;
  beforeAll(async () => {
    server = await startFaultServer();
  });
  afterAll(async () => server.close());

  /** Seconds of processor time that it has used so far. */
  async function usedCpuS(): Promise<number> {
    const text = await readFile(`/proc/${server.pid()}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }

  const setHandles = async (most: number): Promise<unknown> =>
    promisify(execFile)('prlimit', ['--pid', String(server.pid()), `--nofile=${most}:`]);

  it('lets new connections wait or refuses them, and takes them when there are handles again', async () => {
    await proveFault(server, {
      name: 'Process: out of file handles',
      how: `room for ${HANDLES} more, three times as many idle connections, for a second`,
      mayBreak: true,
      // Until it is noticed the disk has no handle either, and what it cannot take is not accepted.
      refusals: [503],
      async inject() {
        const probe = await openRaw(server.port());
        await setHandles((await server.holdings()).fds + HANDLES);
        const crowd: RawConnection[] = [];
        for (let at = 0; at < HANDLES * 3; at += 1) {
          const raw = await openRaw(server.port()).catch(() => undefined);
          if (raw !== undefined) crowd.push(raw);
        }
        await eventually(() => server.log().includes('new connections are refused'), 'it says so');
        probe.send('GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n');
        expect(await probe.until(/file handles run short/)).toMatch(/^HTTP\/1\.1 503 /);
        probe.close();
        const before = await usedCpuS();
        await sleep(1000);
        const used = (await usedCpuS()) - before;
        for (const raw of crowd) raw.close();
        expect(used, 'processor time of a second').toBeLessThan(0.2);
      },
    });
  });
});

describe('Process whose clock is set', () => {
  const shiftsMs = [HOUR_MS, 0, -HOUR_MS, 24 * HOUR_MS, -24 * HOUR_MS, 0, -24 * HOUR_MS];
  let isBroken = false;
  let asked = 0;
  const application = createServer((_request, response) => {
    if (isBroken) response.destroy();
    else response.writeHead(200, { 'Cache-Control': 'max-age=60' }).end('{}');
  });
  let server: FaultServer;
  beforeAll(async () => {
    await once(application.listen(0, '127.0.0.1'), 'listening');
    // Listening on TCP: the address is never a path.
    const { port } = application.address() as AddressInfo;
    server = await startFaultServer({
      NODE_OPTIONS: `--require ${CLOCK}`,
      CLOCK_SHIFTS_MS: shiftsMs.join(),
      API_UPSTREAM: `http://127.0.0.1:${port}`,
      API_ROUTES: '/api/*=60',
    });
  });
  afterAll(async () => {
    await server.close();
    application.close();
  });

  const setClock = (): void => server.kill('SIGUSR2');

  it.each([
    ['an hour ahead', 'back'],
    ['an hour back', 'a day ahead'],
    ['a day back', 'right again'],
  ])('%s, then %s', async (first, then) => {
    await proveFault(server, {
      name: `Process: clock set ${first}, then ${then}`,
      how: 'Date.now is shifted under load',
      async inject({ load }) {
        setClock();
        await load.more(60);
      },
      heal: async () => setClock(),
    });
  });

  it('a day back while an application is left alone: it is asked again all the same', async () => {
    await proveFault(server, {
      name: 'Process: clock set a day back while a breaker is open',
      how: 'the application behind /api breaks off, Date.now is shifted, it answers again',
      async inject() {
        isBroken = true;
        const isLeftAlone = async (): Promise<boolean> => {
          await server.ask(`/api/${(asked += 1)}`);
          return (await server.down()).includes('upstream-breaker');
        };
        await eventually(isLeftAlone, 'it is left alone');
        setClock();
      },
      async heal() {
        isBroken = false;
      },
      async healed() {
        const answers = async (): Promise<boolean> =>
          (await server.ask(`/api/${(asked += 1)}`)).status === 200;
        await eventually(answers, 'it is asked again');
        expect(await server.down()).toEqual([]);
      },
    });
  });
});

describe('Process with little memory', () => {
  let server: FaultServer;
  beforeAll(async () => {
    server = await startFaultServer({
      NODE_OPTIONS: '--max-old-space-size=48',
      UPLOAD_BUDGET_MB: '16',
      MEMORY_CACHE_MB: '16',
    });
  });
  afterAll(async () => server.close());

  it('refuses what is too much for it, and lives', async () => {
    await proveFault(server, {
      name: 'Process: little memory',
      how: 'a heap of 48 MB, 16 MB of uploads; 200 uploads of 1 MB and their renderings at once',
      refusals: [503],
      async inject() {
        const image = makePng(MIB, 5);
        const ids = Array.from({ length: 200 }, (_, at) => `much-${at}`);
        const statuses = await Promise.all(
          ids.map(async (id) => {
            const answer = await server.ask(`/images/${id}`, { method: 'PUT', body: image });
            return answer.status === 201 ? (await server.ask(`/images/${id}?w=64`)).status : answer.status;
          }),
        );
        expect(statuses.filter((status) => status !== 200 && status !== 503)).toEqual([]);
        expect(statuses).toContain(200);
      },
    });
  });
});
