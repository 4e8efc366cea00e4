/** `PROCESSES=2`: real processes on one port over a real Redis, as an operator and their clients meet them. */
import { SignJWT } from 'jose';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { eventually } from '../fixtures/eventually.ts';
import { onePixelPng } from '../fixtures/images.ts';
import { connectionTo, isRunning, processesOf, streamOf, type Connection } from '../fixtures/processes.ts';
import { freePort, startRedis, type RedisServer } from '../fixtures/redis-server.ts';
import { serveCli, type CliRun } from '../fixtures/run-cli.ts';

const SECRET = 'a secret that is long enough for HS256!';
const PNG = { 'Content-Type': 'image/png' };

interface Running extends CliRun {
  readonly url: string;
  readonly port: number;
}

let redis: RedisServer;
let server: Running;
let metricsPort: number;
const servers: CliRun[] = [];
const closers: (() => void)[] = [];

beforeAll(async () => {
  redis = await startRedis();
  metricsPort = await freePort();
  server = await start({ METRICS_PORT: String(metricsPort), SUBSCRIBE_JWT_SECRET: SECRET });
});
afterEach(() => {
  for (const close of closers.splice(0)) close();
});
afterAll(async () => {
  for (const each of servers.splice(0)) await end(each);
  await redis.stop();
});

async function start(env: Readonly<Record<string, string>> = {}): Promise<Running> {
  const settings = { PROCESSES: '2', REDIS_ENABLED: 'true', REDIS_URL: redis.url, LOG_FORMAT: 'json' };
  const cli = await serveCli({ ...settings, ...env });
  servers.push(cli);
  if (env['REDIS_ENABLED'] !== 'false') await cli.says(/2 processes answer at/);
  return { ...cli, port: Number(new URL(cli.url).port) };
}

/** Its processes are its own to end: killed alone, it could not tell them. */
async function end(cli: CliRun): Promise<void> {
  for (const pid of processesOf(cli.pid).values()) process.kill(pid, 'SIGKILL');
  await cli.close();
}

function pidOf(number: number, cli: CliRun = server): number {
  const pid = processesOf(cli.pid).get(number);
  if (pid === undefined) throw new Error(`process ${number} does not run`);
  return pid;
}

async function connect(number: number, { port }: Running = server): Promise<Connection> {
  const connection = await connectionTo(pidOf(number), port);
  closers.push(connection.close);
  return connection;
}

async function token(topic: string): Promise<string> {
  const key = new TextEncoder().encode(SECRET);
  const jwt = new SignJWT({ topics: [topic] }).setProtectedHeader({ alg: 'HS256' });
  return `Bearer ${await jwt.setExpirationTime('10m').sign(key)}`;
}

interface Stats {
  readonly requests: { readonly total: number };
  readonly cache_size: number;
  readonly cache_bytes_limit: number;
  readonly workers: { readonly threads: number };
  readonly events: { readonly subscribers: number };
  readonly processes: {
    readonly count: number;
    readonly silent: readonly number[];
    readonly restarts: number;
  };
}

async function statsFrom(connection: Connection): Promise<Stats> {
  return JSON.parse((await connection.send('GET', '/admin/stats')).body.toString()) as Stats;
}

test('what is put at one process is served by the other, and its subscriber hears of it', async () => {
  const [one, two] = [await connect(1), await connect(2)];
  const authorization = await token('job:1');
  const stream = await streamOf(
    pidOf(2),
    server.port,
    '/events?topic=job:1',
    `Authorization: ${authorization}\r\n`,
  );
  closers.push(stream.destroy);
  const body = await onePixelPng();
  const put = await one.send('PUT', '/images/shared?topic=job:1', { headers: PNG, body });
  expect(put.status).toBe(201);
  await eventually(() => stream.events().some(({ event }) => event === 'image.ready'), 'the event comes');
  const got = await two.send('GET', '/images/shared');
  expect(got.status).toBe(200);
  expect(got.body.equals(body)).toBe(true);
});

test('5 a ticket bought at one process opens one stream at the other', async () => {
  const one = await connect(1);
  const bought = await one.send('POST', '/events/ticket', {
    headers: { Authorization: await token('job:2') },
  });
  const { ticket } = JSON.parse(bought.body.toString()) as { readonly ticket: string };
  const two = await connect(2);
  // Refused for its topic: the ticket was good, and is used up.
  expect((await two.send('GET', `/events?topic=other&ticket=${ticket}`)).status).toBe(403);
  expect((await two.send('GET', `/events?topic=job:2&ticket=${ticket}`)).status).toBe(401);
  expect((await one.send('GET', `/events?topic=job:2&ticket=${ticket}`)).status).toBe(401);
});

test('whichever is asked answers for both, and budgets are those of the host', async () => {
  const [one, two] = [await connect(1), await connect(2)];
  const before = (await statsFrom(one)).requests.total;
  for (let count = 0; count < 5; count += 1) {
    await one.send('GET', '/livez');
    await two.send('GET', '/livez');
  }
  expect((await statsFrom(two)).requests.total).toBe(before + 11);
  expect(await statsFrom(one)).toMatchObject({
    cache_bytes_limit: 256 * 1024 * 1024,
    processes: { count: 2, silent: [], restarts: 0 },
  });
});

test('each process scraped on METRICS_PORT gives the sum', async () => {
  for (const number of [1, 2]) {
    const connection = await connectionTo(pidOf(number), metricsPort);
    closers.push(connection.close);
    const text = (await connection.send('GET', '/metrics')).body.toString();
    expect(text).toContain('\nafterimage_processes 2\n');
    expect(text).toContain('\nafterimage_tier_limit_bytes{tier="memory"} 268435456\n');
    expect(text.match(/^afterimage_process_resident_memory_bytes /gm)).toHaveLength(1);
  }
});

test('a process that hangs is named, and what it last said stands', async () => {
  const one = await connect(1);
  const whole = await statsFrom(one);
  const pid = pidOf(2);
  process.kill(pid, 'SIGSTOP');
  try {
    const stats = await statsFrom(one);
    expect(stats).toMatchObject({
      processes: { count: 2, silent: [2] },
      cache_bytes_limit: whole.cache_bytes_limit,
    });
    expect(stats.requests.total).toBe(whole.requests.total + 1);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
});

test('clearing at one process clears the memory of both', async () => {
  const [one, two] = [await connect(1), await connect(2)];
  await one.send('PUT', '/images/cleared', { headers: PNG, body: await onePixelPng() });
  for (const each of [one, two]) expect((await each.send('GET', '/images/cleared')).status).toBe(200);
  expect((await one.send('DELETE', '/admin/cache')).status).toBe(200);
  await eventually(async () => (await statsFrom(one)).cache_size === 0, 'both are empty');
  expect((await two.send('GET', '/images/cleared')).status).toBe(404);
});

test('what one is told to warm is warm in both', async () => {
  const [one, two] = [await connect(1), await connect(2)];
  await one.send('PUT', '/images/warmed', { headers: PNG, body: await onePixelPng() });
  const body = Buffer.from(JSON.stringify({ ids: ['warmed'] }));
  expect((await one.send('POST', '/admin/warm', { body })).status).toBe(200);
  await eventually(async () => {
    const places = (await two.send('GET', '/admin/image?id=warmed')).body.toString();
    return places.includes('{"tier":"memory","present":true');
  }, 'the other has it in memory');
});

test('kill -9 of one: the port goes on answering, it is started again, no count goes down', async () => {
  const one = await connect(1);
  const before = await statsFrom(one);
  const killed = pidOf(2);
  process.kill(killed, 'SIGKILL');
  await server.says(/a process ended: it is started again/);
  for (let count = 0; count < 20; count += 1) {
    const { status } = await fetch(`${server.url}/livez`, { headers: { Connection: 'close' } });
    expect(status).toBe(200);
  }
  await eventually(async () => {
    const { silent, restarts } = (await statsFrom(one)).processes;
    return silent.length === 0 && restarts === 1;
  }, 'it is back');
  expect(pidOf(2)).not.toBe(killed);
  expect((await statsFrom(one)).requests.total).toBeGreaterThan(before.requests.total + 20);
  expect((await (await connect(2)).send('GET', '/readyz')).status).toBe(200);
});

test('SIGTERM ends all of them with 0, and each line of the log says whose it is', async () => {
  const { ended, kill, out, pid } = await start();
  const pids = [...processesOf(pid).values()];
  expect(pids).toHaveLength(2);
  kill('SIGTERM');
  expect(await ended).toBe(0);
  for (const each of pids) expect(() => process.kill(each, 0)).toThrow('ESRCH');
  const lines = out()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { process?: number; msg: string });
  const stopped = lines.filter(({ msg }) => msg === 'stopped').map((line) => line.process);
  expect(stopped.toSorted()).toEqual([1, 2]);
});

test('processes whose parent was killed stop by themselves', async () => {
  const { ended, kill, pid } = await start();
  const pids = [...processesOf(pid).values()];
  kill('SIGKILL');
  await ended;
  await eventually(() => !pids.some(isRunning), 'all have ended');
});

test('without Redis it stays at one process and says why, once', async () => {
  const cli = await start({ REDIS_ENABLED: 'false', PROCESSES: 'auto' });
  expect(processesOf(cli.pid).size).toBe(0);
  expect(cli.out().match(/staying at one process/g)).toHaveLength(1);
  expect((await fetch(`${cli.url}/readyz`)).status).toBe(200);
});
