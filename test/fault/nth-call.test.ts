/**
 * Every call to the world fails once: the first, the second, and so on until there are none left. The
 * same script runs each time; its answers are right or 5xx with a code, nothing accepted is lost, and the
 * script runs again without a fault in the same server, which shows that nothing is held.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pipeline, Redis } from 'ioredis';
import { expect, it, vi } from 'vitest';
import { openRawStream } from '../fixtures/raw-stream.ts';
import { eventually } from '../fixtures/eventually.ts';
import { startRedis } from '../fixtures/redis-server.ts';
import { runApp, type RunningApp } from '../fixtures/run-app.ts';
import type { FaultRow } from './suite/fault.ts';
import { keepRow } from './suite/fault-table.ts';
import { arm, disarm, failureOf } from './suite/nth-call.ts';
import { createSeen, read, write, type Seen } from './suite/script.ts';

vi.mock('node:fs/promises', async (importOriginal) => {
  const { edge, withEdges } = await import('./suite/nth-call.ts');
  const real = await importOriginal<typeof import('node:fs/promises')>();
  const HANDLE = ['read', 'readv', 'write', 'writev', 'stat', 'close'];
  const open: typeof real.open = async (...args) => withEdges('file', await real.open(...args), HANDLE);
  return {
    ...real,
    // Not the server's own look at how many handles are left: it comes by the clock.
    open: async (...args: Parameters<typeof real.open>) =>
      args[0] === '/dev/null' ? real.open(...args) : edge('open', open)(...args),
    mkdir: edge('mkdir', real.mkdir),
    readdir: edge('readdir', real.readdir),
    rename: edge('rename', real.rename),
    statfs: edge('statfs', real.statfs),
    unlink: edge('unlink', real.unlink),
    utimes: edge('utimes', real.utimes),
  };
});

vi.mock('../../src/cache/file-calls.ts', async (importOriginal) => {
  const { edge } = await import('./suite/nth-call.ts');
  const real = await importOriginal<typeof import('../../src/cache/file-calls.ts')>();
  return {
    openFile: edge('open', real.openFile),
    readInto: edge('file.readv', real.readInto),
    writePieces: edge('file.writev', real.writePieces),
    // A file is closed however its closing went.
    closeFile: edge('file.close', real.closeFile, true),
  };
});

/** One real pool for all servers: starting threads for each would take most of the time. */
vi.mock('piscina', async (importOriginal) => {
  const { edge } = await import('./suite/nth-call.ts');
  const { Piscina } = await importOriginal<typeof import('piscina')>();
  type Pool = InstanceType<typeof Piscina>;
  let shared: Pool | undefined;
  return {
    Piscina: class {
      readonly pool: Pool;
      constructor(options: ConstructorParameters<typeof Piscina>[0]) {
        this.pool = shared ??= new Piscina(options);
      }
      on(): void {}
      run = edge('worker', async (...args: Parameters<Pool['run']>) => this.pool.run(...args));
      async destroy(): Promise<void> {}
    },
  };
});

const SETTINGS = { WARM_FROM_DISK: 'false', STOP_GRACE_S: '0', WORKER_THREADS: '1' };
const N_MAX = 1000;

async function allUp(app: RunningApp): Promise<void> {
  const down = async (): Promise<readonly string[]> => {
    const { health } = await (await app.get('/admin/stats')).json();
    return health.parts.flatMap(({ part, up }: { part: string; up: boolean }) => (up ? [] : [part]));
  };
  await eventually(async () => (await down()).length === 0, 'all parts are up');
}

function createTally() {
  const counts = new Map<string, number>();
  let refused = 0;
  let requests = 0;
  let n = 0;
  return {
    add(failed: string, seen: Seen, again: Seen): void {
      n += 1;
      counts.set(failed, (counts.get(failed) ?? 0) + 1);
      refused += seen.refused.length;
      requests += seen.requests + again.requests;
    },
    kinds: () => [...counts.keys()],
    row: (name: string, more: string): FaultRow => ({
      fault: `${name}: N = 1…${n}`,
      how: [...counts].map(([kind, count]) => `${count} ${kind}`).join(', ') + more,
      requests,
      refused: `${refused} × 503`,
      recoveredMs: 0,
    }),
  };
}

/** Each image that was accepted is heard of, by whoever follows. */
async function writeFollowed(app: RunningApp, name: string, seen: Seen): Promise<void> {
  const stream = await openRawStream(app.port, `/events?topic=${name}`);
  await write(app, name, seen);
  const heard = (): Set<string> =>
    new Set(
      stream.events().flatMap(({ event, data }) => (event === 'image.ready' ? [JSON.parse(data).id] : [])),
    );
  const untold = (): string[] =>
    [...seen.truth.keys()].filter((id) => seen.truth.get(id) !== undefined && !heard().has(id));
  await eventually(() => untold().length === 0, `${untold().join()} is told`);
  stream.destroy();
}

async function atRest(app: RunningApp): Promise<void> {
  const holds = async (): Promise<number> => {
    const { workers, events, ...stats } = await (await app.get('/admin/stats')).json();
    const atWork = workers.running + workers.queued + events.subscribers;
    return atWork + stats.lookups_under_way + stats.uploads_in_flight_bytes;
  };
  await eventually(async () => (await holds()) === 0, 'nothing is held');
}

interface Nth {
  /** '': there were fewer calls. */
  readonly failed: string;
  readonly seen: Seen;
  /** Of the same script, run again without a fault. */
  readonly again: Seen;
}

async function failNth(n: number, cacheDir: string): Promise<Nth> {
  const seen = createSeen();
  const again = createSeen();
  arm(n);
  const first = await runApp(SETTINGS, { cacheDir });
  await writeFollowed(first, 'x', seen);
  await first.close();
  const second = await runApp(SETTINGS, { cacheDir });
  await read(second, 'x', seen);
  const { failed } = disarm();
  try {
    await read(second, 'x', { ...seen, refused: again.refused });
    await writeFollowed(second, 'y', again);
    await read(second, 'y', again);
    await atRest(second);
    expect([seen.wrong, again.wrong], `call ${n} failed: ${failed}`).toEqual([[], []]);
    expect(again.refused, `afterwards; call ${n} failed: ${failed}`).toEqual([]);
  } finally {
    await second.close();
  }
  return { failed, seen, again };
}

/** Every command of every connection, those of a heartbeat and of the stream of events too; a chain is one. */
function failCommands(): () => void {
  const { sendCommand } = Redis.prototype;
  const { exec } = Pipeline.prototype;
  Pipeline.prototype.exec = function execOrFail(this: typeof Pipeline.prototype, callback) {
    const failure = failureOf('redis multi');
    if (failure === undefined) return exec.call(this, callback);
    this.promise.catch(() => undefined);
    this.reject(failure);
    // Its own promise, which never resolves; of a chain that only closes its MULTI nobody takes it.
    return this.promise as ReturnType<typeof exec>;
  };
  Redis.prototype.sendCommand = function sendOrFail(this: Redis, command, stream) {
    const isOfChain = 'pipelineIndex' in command && command.pipelineIndex !== undefined;
    const failure = isOfChain ? undefined : failureOf(`redis ${command.name}`);
    if (failure === undefined) return sendCommand.call(this, command, stream);
    command.reject(failure);
    return command.promise;
  };
  return () => {
    Redis.prototype.sendCommand = sendCommand;
    Pipeline.prototype.exec = exec;
  };
}

it('commands to Redis: whichever fails, every answer is right or a refusal, and nothing is held', async () => {
  const restore = failCommands();
  const redis = await startRedis();
  const app = await runApp({
    ...SETTINGS,
    REDIS_ENABLED: 'true',
    REDIS_URL: redis.url,
    REDIS_TIMEOUT_MS: '5000',
  });
  const tally = createTally();
  let beyond = 0;
  for (let n = 1; n < N_MAX; n += 1) {
    const seen = createSeen();
    const again = createSeen();
    // Only while Redis is in use are there commands to fail.
    await allUp(app);
    arm(n, /^redis/);
    await writeFollowed(app, `x${n}`, seen);
    await read(app, `x${n}`, seen);
    const { failed } = disarm();
    // Where Redis was left alone for a moment there were fewer: not the end yet.
    if (failed === '' && (beyond += 1) === 3) break;
    if (failed === '') continue;
    await allUp(app);
    await read(app, `x${n}`, { ...seen, refused: again.refused });
    await writeFollowed(app, `y${n}`, again);
    await atRest(app);
    tally.add(failed, seen, again);
    expect([seen.wrong, again.wrong, again.refused], `command ${n} failed: ${failed}`).toEqual([[], [], []]);
  }
  await app.close();
  await redis.stop();
  restore();
  expect(tally.kinds()).toEqual(expect.arrayContaining(['redis xadd']));
  keepRow(tally.row('Nth command to Redis fails', ''));
}, 120_000);

it('files and workers: whichever call fails, every answer is right or a refusal, and nothing is held', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'afterimage-nth-'));
  const tally = createTally();
  for (let n = 1; n < N_MAX; n += 1) {
    const { failed, seen, again } = await failNth(n, join(parent, String(n)));
    if (failed === '') break;
    tally.add(failed, seen, again);
  }
  await rm(parent, { recursive: true, force: true });
  expect(tally.kinds()).toEqual(
    expect.arrayContaining(['worker', 'open', 'rename', 'readdir', 'file.writev']),
  );
  keepRow(tally.row('Nth call to files and workers fails', '; a restart in the middle'));
}, 120_000);
