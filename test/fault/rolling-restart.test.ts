/**
 * Two instances on one Redis behind nginx, as examples/nginx.conf has it; each is stopped and started anew
 * while images are put, got and followed. Nobody notices.
 */
import { Agent, request } from 'node:http';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makePng } from '../../bench/make-png.ts';
import { eventually } from '../fixtures/eventually.ts';
import { startNginx, type NginxServer } from '../fixtures/nginx-server.ts';
import { openRawStream } from '../fixtures/raw-stream.ts';
import { openRawWebSocket } from '../fixtures/raw-web-socket.ts';
import { freePort, startRedis, type RedisServer } from '../fixtures/redis-server.ts';
import { runCli, type CliRun } from '../fixtures/run-cli.ts';

const TOPIC = 'roll';
const IMAGE_BYTES = 20_000;
/** Through nginx between two things that are done to the instances. */
const REQUESTS_BETWEEN = 60;

let redis: RedisServer;
let nginx: NginxServer;
const ports: number[] = [];
const instances: CliRun[] = [];

async function start(port: number): Promise<CliRun> {
  const env = {
    PORT: String(port),
    REDIS_ENABLED: 'true',
    REDIS_URL: redis.url,
    STOP_GRACE_S: '4',
    LOG_FORMAT: 'json',
  };
  const run = runCli(['serve'], { env });
  await run.says(/listening on/);
  return run;
}

/** The example, but for TLS and with two servers. */
function configuration(port: number): string {
  return readFileSync(new URL('../../examples/nginx.conf', import.meta.url), 'utf8')
    .replace(/server 127\.0\.0\.1:8080(.*;)/, (_, rest) =>
      ports.map((each) => `server 127.0.0.1:${each}${rest}`).join('\n    '),
    )
    .replace('listen 443 ssl http2', `listen 127.0.0.1:${port}`)
    .replaceAll(/^ *(ssl_certificate|http2_max).*$/gm, '');
}

beforeAll(async () => {
  redis = await startRedis();
  ports.push(await freePort(), await freePort());
  instances.push(...(await Promise.all(ports.map(start))));
  nginx = await startNginx(configuration);
});
afterAll(async () => {
  await nginx.close();
  await Promise.all(instances.map(async (run) => run.close()));
  await redis.stop();
});

interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

/** Requests through nginx, over kept-alive connections; what is not as it should be is written down. */
function createLoad() {
  const agent = new Agent({ keepAlive: true });
  const accepted = new Map<string, Buffer>();
  const failed: string[] = [];
  let answered = 0;
  let isStopping = false;

  async function ask(method: string, path: string, body?: Buffer): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const headers =
        body === undefined ? {} : { 'Content-Length': body.length, 'Content-Type': 'image/png' };
      const sent = request(
        { port: nginx.port, host: '127.0.0.1', method, path, agent, headers },
        (message) => {
          const pieces: Buffer[] = [];
          message.on('data', (piece: Buffer) => pieces.push(piece));
          message.on('end', () => resolve({ status: message.statusCode ?? 0, body: Buffer.concat(pieces) }));
          message.on('error', reject);
        },
      );
      sent.on('error', reject);
      sent.end(body);
    });
  }
  async function step(
    name: string,
    expected: number,
    work: () => Promise<Answer>,
  ): Promise<Answer | undefined> {
    const answer = await work().catch((error: unknown) => void failed.push(`${name}: ${String(error)}`));
    if (answer !== undefined && answer.status !== expected)
      failed.push(`${name}: ${answer.status} ${answer.body.toString()}`);
    answered += 1;
    return answer?.status === expected ? answer : undefined;
  }
  async function put(id: string, seed: number): Promise<void> {
    const body = makePng(IMAGE_BYTES, seed);
    const path = `/images/${id}?topic=${TOPIC}`;
    if ((await step(`PUT ${id}`, 201, async () => ask('PUT', path, body))) !== undefined)
      accepted.set(id, body);
  }
  async function get(at: number): Promise<void> {
    const [id, body] = [...accepted][at % Math.max(1, accepted.size)] ?? [];
    if (id === undefined) return;
    const answer = await step(`GET ${id}`, 200, async () => ask('GET', `/images/${id}`));
    if (answer !== undefined && body?.equals(answer.body) !== true) failed.push(`GET ${id}: other bytes`);
  }
  async function loop(work: (at: number) => Promise<void>): Promise<void> {
    for (let at = 1; !isStopping; at += 1) {
      await work(at);
      await sleep(5);
    }
  }
  const loops = [
    loop(async (at) => put(`a${at}`, at)),
    loop(async (at) => put(`b${at}`, 10_000 + at)),
    ...[1, 2, 3, 4].map(async (each) => loop(async (at) => get(at * each * 7))),
  ];
  return {
    accepted,
    failed,
    async more(requests: number) {
      const target = answered + requests;
      await eventually(() => answered >= target, 'the load goes on');
    },
    async stop() {
      isStopping = true;
      await Promise.all(loops);
      agent.destroy();
    },
  };
}

interface Followed {
  /** How often each id was told as final. */
  readonly heard: Map<string, number>;
  gaps(): number;
  connections(): number;
  /** It has a cursor: from here on nothing may be missed. */
  hasBegun(): boolean;
  stop(): Promise<void>;
}

interface Line {
  take(): readonly { readonly event: string; readonly cursor: string; readonly id: string }[];
  cursor(): string;
  isClosed(): boolean;
  destroy(): void;
}

async function openSse(since: string): Promise<Line> {
  const stream = await openRawStream(nginx.port, `/events?topic=${TOPIC}&inline=none${since}`);
  let taken = 0;
  return {
    take() {
      const fresh = stream.events().slice(taken);
      taken += fresh.length;
      return fresh.map(({ event, id, data }) => ({ event, cursor: id, id: String(JSON.parse(data).id) }));
    },
    cursor: stream.lastId,
    isClosed: () => stream.isClosed() || stream.isEnded(),
    destroy: stream.destroy,
  };
}

async function openWs(since: string): Promise<Line> {
  const socket = await openRawWebSocket(nginx.port, `/ws?topic=${TOPIC}&inline=none${since}`);
  let taken = 0;
  let last = '';
  return {
    take() {
      const fresh = socket
        .messages<{ event?: string; cursor?: string; data?: { id?: string } }>()
        .slice(taken);
      taken += fresh.length;
      last = fresh.findLast(({ cursor }) => cursor !== undefined)?.cursor ?? last;
      return fresh.map(({ event = '', cursor = '', data }) => ({ event, cursor, id: data?.id ?? '' }));
    },
    cursor: () => last,
    isClosed: () => socket.isClosed() || socket.closeCode() !== undefined || !socket.head.includes(' 101 '),
    destroy: socket.destroy,
  };
}

/** Goes on by cursor whenever its connection ends. */
function follow(open: (since: string) => Promise<Line>): Followed {
  const heard = new Map<string, number>();
  let [cursor, gaps, connections, isStopping] = ['', 0, 0, false];
  async function read(line: Line): Promise<void> {
    for (;;) {
      const isLast = line.isClosed() || isStopping;
      for (const { event, id } of line.take()) {
        if (event === 'image.ready') heard.set(id, (heard.get(id) ?? 0) + 1);
        if (event === 'gap') gaps += 1;
      }
      if (line.cursor() !== '') cursor = line.cursor();
      if (isLast) return;
      await sleep(5);
    }
  }
  const run = async (): Promise<void> => {
    while (!isStopping) {
      const line = await open(cursor === '' ? '' : `&since=${cursor}`);
      connections += 1;
      await read(line).finally(line.destroy);
    }
  };
  const running = run();
  return {
    heard,
    gaps: () => gaps,
    connections: () => connections,
    hasBegun: () => cursor !== '',
    async stop() {
      isStopping = true;
      await running;
    },
  };
}

it('a rolling restart fails no request, and every final is told once', async () => {
  const followers = [follow(openSse), follow(openWs), follow(openSse), follow(openWs)];
  await eventually(() => followers.every(({ hasBegun }) => hasBegun()), 'all follow');
  const load = createLoad();
  for (const [at, port] of ports.entries()) {
    await load.more(REQUESTS_BETWEEN);
    const old = instances[at];
    old?.kill('SIGTERM');
    expect(await old?.ended, old?.out()).toBe(0);
    await load.more(REQUESTS_BETWEEN);
    instances[at] = await start(port);
  }
  await load.more(REQUESTS_BETWEEN);
  await load.stop();
  expect(load.failed).toEqual([]);
  const ids = [...load.accepted.keys()];
  for (const follower of followers) {
    await eventually(() => ids.every((id) => follower.heard.has(id)), 'every final is told');
    expect(ids.filter((id) => follower.heard.get(id) !== 1)).toEqual([]);
    expect([follower.gaps(), follower.heard.size]).toEqual([0, ids.length]);
  }
  await Promise.all(followers.map(async ({ stop }) => stop()));
  // Each stream was moved at least once by the two restarts together.
  expect(Math.max(...followers.map(({ connections }) => connections()))).toBeGreaterThan(1);
});
