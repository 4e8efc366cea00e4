/** Images that memory does not have: from Redis in two forms, from disk, from Azure, beside a bare read. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { writeEntryText } from '../../src/cache/entry-text.ts';
import { imageKey } from '../../src/core/keys.ts';
import { interleave, type Subject } from '../interleave.ts';
import { makeEntry } from '../make-entry.ts';
import { makePng } from '../make-png.ts';
import { startAfterimage } from '../peers/afterimage.ts';
import { AZURITE_MISSING, startAzurite } from '../peers/azurite.ts';
import { startBareCold } from '../peers/bare-cold.ts';
import type { Peer } from '../peers/peer.ts';
import { REDIS_MISSING, startRedis } from '../peers/redis.ts';
import { fillDisk } from '../programs/fill-disk.ts';
import type { Bench, Outcome, Row, Scenario, Target } from '../scenario.ts';

const KIB = 1024;
const SMALL = { label: '32 KB', bytes: 32 * KIB, count: 256 };
const LARGE = { label: '1 MB', bytes: 1024 * KIB, count: 48 };
const AZURE_DELAY_MS = 200;
const CONTAINER = 'images';
const MANY_CONNECTIONS = 32;

type Size = typeof SMALL;

/** Two servers over the same store, and the names of the same images in each's own form. */
interface Pair {
  readonly label: string;
  readonly size: Size;
  readonly afterimage: Peer;
  readonly bare: Peer;
  readonly ids: string;
  readonly bareIds: string;
}

/** Memory keeps one image: each of many, asked for in turn, is a miss. */
const COLD = { MEMORY_CACHE_IMAGES: '1' };

function idsOf(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, at) => `${prefix}-${at}`);
}

/** Asked for one after the other. */
function writePaths(dir: string, prefix: string, count: number): string {
  const path = join(dir, `paths-${prefix}.txt`);
  writeFileSync(
    path,
    idsOf(prefix, count)
      .map((id) => `/images/${id}\n`)
      .join(''),
  );
  return path;
}

function subjects(pair: Pair, connections: number, bench: Bench, isLatency: boolean): Subject[] {
  const subject = (peer: Peer, ids: string): Subject => ({
    name: peer.name,
    pids: [peer.pid],
    measure: async (seconds) => {
      const paths = writePaths(bench.dir, ids, pair.size.count);
      const sample = await bench.load(`${peer.base}/`, { connections, seconds, paths });
      return isLatency ? { ...sample, value: sample.p50Ms ?? Number.NaN } : sample;
    },
  });
  return [subject(pair.afterimage, pair.ids), subject(pair.bare, pair.bareIds)];
}

async function assertCold({ afterimage, ids }: Pair, tier: string): Promise<void> {
  for (const id of idsOf(ids, 3)) {
    const response = await fetch(afterimage.url(id));
    await response.arrayBuffer();
    const status = response.headers.get('cache-status') ?? '';
    if (!response.ok || !status.includes(`${tier}; hit`)) {
      throw new Error(`${id} does not come from ${tier}: ${response.status} ${status}`);
    }
  }
}

async function measurePair(pair: Pair, tier: string, bench: Bench): Promise<Row[]> {
  await assertCold(pair, tier);
  const label = `${pair.label}, ${pair.size.label}`;
  const rows = [
    await interleave({ label, unit: 'ms p50', better: 'less' }, subjects(pair, 1, bench, true), bench),
  ];
  if (bench.effort.name !== 'full') return rows;
  const kind = { label: `${label}, full load`, unit: 'requests/s', better: 'more' } as const;
  rows.push(await interleave(kind, subjects(pair, MANY_CONNECTIONS, bench, false), bench));
  return rows;
}

async function fillRedis(redis: Redis, size: Size): Promise<void> {
  for (let at = 0; at < size.count; at += 1) {
    const body = makePng(size.bytes, at + 1);
    const key = `${size.bytes}-${at}`;
    const entry = makeEntry(imageKey(`hash-${key}`), body);
    const json = { base64_data: body.toString('base64'), mime_type: 'image/png', created_at: 1_763_672_400 };
    await Promise.all([
      redis.hset(entry.key, 'version', entry.version, 'entry', writeEntryText(entry), 'bytes', body),
      redis.set(`image:raw-${key}`, body),
      redis.set(`image:json-${key}`, JSON.stringify(json)),
    ]);
  }
}

async function measureRedis(sizes: readonly Size[], bench: Bench, missing: string[]): Promise<Row[]> {
  const { machine, dir } = bench;
  const server = await startRedis(machine);
  if (server === undefined) {
    missing.push(REDIS_MISSING);
    return [];
  }
  const stops: (() => Promise<void>)[] = [server.stop];
  const rows: Row[] = [];
  try {
    const redis = new Redis({ host: '127.0.0.1', port: server.port });
    for (const size of sizes) await fillRedis(redis, size);
    redis.disconnect();
    const env = { ...COLD, CACHE_DIR: '', REDIS_ENABLED: 'true', REDIS_PORT: String(server.port) };
    const afterimage = await startAfterimage(dir, new Map(), machine, { env });
    stops.push(afterimage.stop);
    for (const isJson of [false, true]) {
      const bare = await startBareCold({ kind: 'redis', redisPort: server.port, isJson }, machine);
      stops.push(bare.stop);
      const label = isJson ? 'Redis, base64 in JSON' : 'Redis, own form';
      for (const size of sizes) {
        const ids = `${isJson ? 'json' : 'hash'}-${size.bytes}`;
        const bareIds = `${isJson ? 'json' : 'raw'}-${size.bytes}`;
        rows.push(...(await measurePair({ label, size, afterimage, bare, ids, bareIds }, 'redis', bench)));
      }
    }
  } finally {
    for (const stop of stops.toReversed()) await stop();
  }
  return rows;
}

async function measureDisk(size: Size, bench: Bench): Promise<Row[]> {
  const { machine, dir } = bench;
  const [cacheDir, bareDir] = [join(dir, 'cold-cache'), join(dir, 'cold-files')];
  mkdirSync(bareDir, { recursive: true });
  const bodies = idsOf('disk', size.count).map((id, at) => ({ id, body: makePng(size.bytes, at + 1) }));
  for (const { id, body } of bodies) writeFileSync(join(bareDir, id), body);
  await fillDisk(
    cacheDir,
    bodies.map(({ id, body }) => ({ key: imageKey(id), body })),
  );
  const afterimage = await startAfterimage(dir, new Map(), machine, {
    name: 'Afterimage',
    env: { ...COLD, CACHE_DIR: cacheDir },
  });
  try {
    const bare = await startBareCold({ kind: 'files', dir: bareDir }, machine);
    try {
      const pair = { label: 'disk', size, afterimage, bare, ids: 'disk', bareIds: 'disk' };
      return await measurePair(pair, 'disk', bench);
    } finally {
      await bare.stop();
    }
  } finally {
    await afterimage.stop();
  }
}

async function measureAzure(size: Size, bench: Bench, missing: string[]): Promise<Row[]> {
  const { machine, dir } = bench;
  const azurite = await startAzurite(CONTAINER, AZURE_DELAY_MS, machine);
  if (azurite === undefined) {
    missing.push(AZURITE_MISSING);
    return [];
  }
  const { connectionString } = azurite;
  const stops: (() => Promise<void>)[] = [azurite.stop];
  try {
    for (const [at, id] of idsOf('azure', size.count).entries()) {
      await azurite.container.getBlockBlobClient(id).uploadData(makePng(size.bytes, at + 1), {
        blobHTTPHeaders: { blobContentType: 'image/png' },
      });
    }
    const env = { ...COLD, CACHE_DIR: '', AZURE_STORAGE_CONNECTION_STRING: connectionString };
    const afterimage = await startAfterimage(dir, new Map(), machine, { env });
    stops.push(afterimage.stop);
    const bare = await startBareCold({ kind: 'azure', connectionString, container: CONTAINER }, machine);
    stops.push(bare.stop);
    const pair = { label: 'Azure, 200 ms away', size, afterimage, bare, ids: 'azure', bareIds: 'azure' };
    return await measurePair(pair, 'azure', bench);
  } finally {
    for (const stop of stops.toReversed()) await stop();
  }
}

const WANTED = 1.15;
/** One by it. */
const RATE_WANTED = 0.87;

/** By the time that one takes, and where it is measured by how many a core answers. */
function targetsOf(form: string, size: Size, isFull: boolean): Target[] {
  const [row, figure] = [`${form}, ${size.label}`, `cold miss from ${form}, ${size.label}`];
  const compared = { subject: 'Afterimage', peer: 'bare read' };
  const latency = { ...compared, figure: `${figure}, p50 against a bare read`, row, atMost: WANTED };
  if (!isFull) return [latency];
  const rate = { figure: `${figure}, requests/s`, row: `${row}, full load`, atLeast: RATE_WANTED };
  return [latency, { ...compared, ...rate }];
}

async function run(bench: Bench): Promise<Outcome> {
  const isFull = bench.effort.name === 'full';
  const sizes = isFull ? [SMALL, LARGE] : [SMALL];
  const missing: string[] = [];
  // A short run has two rounds: there are many rows.
  const short = { ...bench, effort: { ...bench.effort, rounds: Math.min(2, bench.effort.rounds) } };
  const own = isFull ? bench : short;
  const rows = await measureRedis(sizes, own, missing);
  if (isFull) {
    rows.push(...(await measureDisk(SMALL, own)));
    rows.push(...(await measureAzure(SMALL, own, missing)));
  }
  return {
    rows,
    targets: ['Redis, own form', 'Redis, base64 in JSON'].flatMap((form) =>
      sizes.flatMap((size) => targetsOf(form, size, isFull)),
    ),
    notes: [
      `images asked for in turn (${sizes.map(({ label, count }) => `${count} of ${label}`).join(', ')}), while memory keeps one; ` +
        'p50 over one connection; Redis has the server’s core, too',
      'bare read: GET (the bytes as they are, or base64 in JSON), readFile, or the Azure SDK’s download, for each request ' +
        '(bench/programs/bare-cold.ts), under a header as long as the server’s; it computes no digest and waits without a deadline',
      `Azure: Azurite in memory behind a proxy that adds ${AZURE_DELAY_MS} ms to each request`,
    ],
    missing,
  };
}

export const coldMiss: Scenario = {
  name: 'cold-miss',
  question: 'What does an image cost that memory does not have?',
  takesS: { quick: 12, full: 160 },
  run,
};
