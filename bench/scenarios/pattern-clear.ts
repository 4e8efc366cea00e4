/** Half of very many values cleared by a pattern: in memory, on disk, in Redis; what others notice of it. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { writeEntryText } from '../../src/cache/entry-text.ts';
import { valueKey } from '../../src/core/keys.ts';
import { putValues } from '../load/put-values.ts';
import { startSteady } from '../load/steady.ts';
import { LOOP_DELAY_NODE_ARGS, readLoopDelay, type LoopDelay } from '../loop-delay.ts';
import { makeEntry } from '../make-entry.ts';
import { makePng } from '../make-png.ts';
import { startAfterimage, type Afterimage } from '../peers/afterimage.ts';
import { REDIS_MISSING, startRedis } from '../peers/redis.ts';
import { number } from '../report/format.ts';
import type { Bench, Outcome, Row, Sample, Scenario, Target } from '../scenario.ts';
import { pinned } from '../start-process.ts';

const PROGRAM = fileURLToPath(new URL('../programs/fill-folder.js', import.meta.url));
const KEYS = { smoke: 1000, quick: 10_000, full: 1_000_000 } as const;
/** A million files take minutes to write and to unlink; how long a file takes shows in fewer, too. */
const FILES_MOST = 100_000;
const HOT = 'hot.png';
const HITS_PER_SECOND = 500;
const IDLE_MS = 500;
const INDEXED_DEADLINE_MS = 600_000;
const PIPELINE = 1000;
const GIB_IN_MB = '65536';

interface Cleared {
  readonly tookMs: number;
  readonly loop: LoopDelay;
  readonly hits: Sample;
  readonly idle: Sample;
}

/** `old-…` and `new-…` in turn: the pattern finds half of them. */
function* names(count: number): Generator<string> {
  for (let at = 0; at < count; at += 1) yield `${at % 2 === 0 ? 'old' : 'new'}-${at}`;
}

async function hitsDuring(server: Afterimage, work: () => Promise<unknown>): Promise<Sample> {
  const steady = startSteady(server.url(HOT), HITS_PER_SECOND);
  // Stopped in any case: it would go on asking a server that is gone.
  const done = await work().then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  const { p50Ms, p99Ms } = await steady.stop();
  if (done !== undefined) throw done.error;
  return { value: p99Ms, p50Ms, p99Ms };
}

async function isThere(server: Afterimage, key: string): Promise<boolean> {
  const response = await fetch(`${server.base}/cache/${key}`);
  await response.arrayBuffer();
  return response.ok;
}

async function clear(server: Afterimage, count: number): Promise<Cleared> {
  const idle = await hitsDuring(server, async () => sleep(IDLE_MS));
  await readLoopDelay(server);
  let tookMs = 0;
  const hits = await hitsDuring(server, async () => {
    const startMs = performance.now();
    const response = await fetch(`${server.base}/cache?pattern=old-*`, { method: 'DELETE' });
    const text = await response.text();
    tookMs = performance.now() - startMs;
    if (text.trim() !== JSON.stringify({ cleared: count / 2 })) throw new Error(`cleared: ${text}`);
  });
  const loop = await readLoopDelay(server);
  if (await isThere(server, 'old-0')) throw new Error('a key that matches is still there');
  if (!(await isThere(server, 'new-1'))) throw new Error('a key that does not match is gone');
  return { tookMs, loop, hits, idle };
}

async function start(bench: Bench, env: Readonly<Record<string, string>>): Promise<Afterimage> {
  const server = await startAfterimage(bench.dir, new Map(), bench.machine, {
    env: { MEMORY_CACHE_MB: '4096', MEMORY_CACHE_IMAGES: '2000000', ...env },
    nodeArgs: LOOP_DELAY_NODE_ARGS,
  });
  await server.put(HOT, makePng(4096));
  return server;
}

async function inMemory(bench: Bench, count: number): Promise<Cleared> {
  const server = await start(bench, { CACHE_DIR: '' });
  try {
    await putValues(server.base, names(count));
    return await clear(server, count);
  } finally {
    await server.stop();
  }
}

async function onDisk(bench: Bench, count: number): Promise<Cleared> {
  const dir = join(bench.dir, 'values');
  const args = [PROGRAM, dir, String(count), 'values'];
  const [program = '', ...rest] = pinned(bench.machine.allCores, process.execPath, args);
  await promisify(execFile)(program, rest);
  const server = await start(bench, { CACHE_DIR: dir, CACHE_SIZE_MB: GIB_IN_MB, LOG_LEVEL: 'info' });
  try {
    const deadlineMs = performance.now() + INDEXED_DEADLINE_MS;
    while (!server.output().includes('disk tier indexed')) {
      if (performance.now() > deadlineMs) throw new Error('the folder was not indexed in time');
      await sleep(50);
    }
    return await clear(server, count);
  } finally {
    await server.stop();
  }
}

async function fillRedis(port: number, count: number): Promise<void> {
  const redis = new Redis({ host: '127.0.0.1', port });
  const body = Buffer.from('a value');
  let batch = redis.pipeline();
  for (const name of names(count)) {
    const entry = { ...makeEntry(valueKey(name), body), mime: 'text/plain' };
    batch.hset(
      `afterimage:${entry.key}`,
      'version',
      entry.version,
      'entry',
      writeEntryText(entry),
      'bytes',
      body,
    );
    if (batch.length < PIPELINE) continue;
    await batch.exec();
    batch = redis.pipeline();
  }
  await batch.exec();
  redis.disconnect();
}

async function inRedis(bench: Bench, count: number): Promise<Cleared | undefined> {
  const redis = await startRedis(bench.machine);
  if (redis === undefined) return undefined;
  try {
    await fillRedis(redis.port, count);
    const env = { CACHE_DIR: '', REDIS_ENABLED: 'true', REDIS_PORT: String(redis.port) };
    const server = await start(bench, env);
    try {
      return await clear(server, count);
    } finally {
      await server.stop();
    }
  } finally {
    await redis.stop();
  }
}

function rowsOf(where: string, { tookMs, loop, hits, idle }: Cleared): Row[] {
  const one = (label: string, unit: string, value: number): Row => ({
    label: `${where}, ${label}`,
    unit,
    better: 'less',
    series: [{ subject: 'Afterimage', samples: [{ value }] }],
  });
  return [
    one('the clearing', 's', tookMs / 1000),
    one('the longest that the loop was held', 'ms', loop.mostMs),
    {
      label: `${where}, hits meanwhile`,
      unit: 'ms p99',
      better: 'less',
      series: [
        { subject: 'while clearing', samples: [hits] },
        { subject: 'before', samples: [idle] },
      ],
    },
  ];
}

async function run(bench: Bench): Promise<Outcome> {
  const { [bench.effort.name]: count } = KEYS;
  const rows: Row[] = [];
  const targets: Target[] = [];
  const missing: string[] = [];
  const places = { memory: inMemory, disk: onDisk, Redis: inRedis };
  for (const [where, measure] of Object.entries(places)) {
    const kept = where === 'disk' ? Math.min(count, FILES_MOST) : count;
    bench.say(`${where}: filling with ${kept} values, clearing half of them`);
    const cleared = await measure(bench, kept);
    if (cleared === undefined) missing.push(REDIS_MISSING);
    else rows.push(...rowsOf(where, cleared));
  }
  return {
    rows,
    targets,
    notes: [
      `DELETE /cache?pattern=old-* over ${number(count)} values (on disk at most ${number(FILES_MOST)}) of which half match, once in each; ` +
        `${HITS_PER_SECOND} hits a second of an image of 4 KB meanwhile, open loop, timed from when each was due`,
    ],
    missing,
  };
}

export const patternClear: Scenario = {
  name: 'pattern-clear',
  question: 'Does anybody notice when half of a million values are cleared by a pattern?',
  takesS: { quick: 12, full: 130 },
  run,
};
