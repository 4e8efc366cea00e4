/** Renderings that are not cached yet, beside sharp alone; and what hits suffer while encodes storm. */
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createDiskPaths } from '../../src/cache/disk-paths.ts';
import { interleave, type Subject } from '../interleave.ts';
import { makePhoto } from '../make-photo.ts';
import { makePng } from '../make-png.ts';
import { startAfterimage, type Afterimage } from '../peers/afterimage.ts';
import { startIpx } from '../peers/ipx.ts';
import { missingPackage } from '../peers/packages.ts';
import type { Bench, Outcome, Row, Sample, Scenario, Target } from '../scenario.ts';
import { observed } from '../processor-time.ts';
import { pinned, startProcess } from '../start-process.ts';

const ASK_LOAD = fileURLToPath(new URL('../programs/ask-load.js', import.meta.url));
const BARE_SHARP = fileURLToPath(new URL('../programs/bare-sharp.js', import.meta.url));
const run = promisify(execFile);
const EFFORT = '2';
/** sharp's own default, and the only one of ipx: it has no setting for it. */
const IPX_EFFORT = '4';
const AT_ONCE = 4;
const STORM_AT_ONCE = 16;
/** In the steps that qualities are rounded to: what lies between would be hits. */
const STORM_QUALITIES = Array.from({ length: 10 }, (_, at) => 50 + 5 * at);
const HITS_PER_SECOND = 1000;
const CONNECTIONS = 8;
/** Images of a sample. Each is rendered at every quality, so that a sample lasts longer than a second. */
const COUNTS = { smoke: 4, quick: 24, full: 40 } as const;
const QUALITIES_64 = [45, 50, 55, 60, 65, 70, 75, 80, 85, 90];
const QUALITIES_512 = [75, 80, 85];
/**
 * Renderings of something small before the first sample. A server lives for days and sharp's own few lines
 * are compiled in no time: without them V8 compiled for 0.6 ms of each rendering's 11 (perf), and far into
 * a sample.
 */
const WARM_UP = { images: 40, side: 64, qualities: Array.from({ length: 20 }, (_, at) => 5 * (at + 1)) };
const LIKE_IPX = {
  label: '1024 px PNG to WebP 512, effort 4',
  source: 1024,
  side: 512,
  format: 'png',
  // Its own, and it is not told another.
  qualities: [80],
} as const;
const CASES = [
  { label: '512 px PNG to WebP 64', source: 512, side: 64, format: 'png', qualities: QUALITIES_64 },
  { label: '1024 px PNG to WebP 512', source: 1024, side: 512, format: 'png', qualities: QUALITIES_512 },
  { label: '1024 px JPEG to WebP 512', source: 1024, side: 512, format: 'jpeg', qualities: QUALITIES_512 },
] as const;

type Case = (typeof CASES)[number] | typeof LIKE_IPX;

const IDLE = 'hits, idle';
const STORM = 'hits, encode storm';

const TARGETS: readonly Target[] = [
  ...CASES.map(({ label }) => ({
    figure: `${label} against bare sharp`,
    row: label,
    subject: 'Afterimage',
    peer: 'bare sharp',
    atLeast: 0.95,
  })),
  {
    figure: 'hit p99 in an encode storm against idle',
    row: 'hits',
    subject: STORM,
    peer: IDLE,
    of: 'p99Ms',
    atMost: 3,
  },
];

/** Asks for renderings, a few at a time; renderings a second. */
async function renderMany(urls: readonly string[], atOnce: number): Promise<number> {
  let asked = 0;
  const worker = async (): Promise<void> => {
    for (let url = urls[asked++]; url !== undefined; url = urls[asked++]) {
      const response = await fetch(url);
      await response.arrayBuffer();
      if (!response.ok) throw new Error(`rendering: ${response.status}`);
      const type = response.headers.get('content-type');
      if (type !== 'image/webp') throw new Error(`rendering: ${type ?? 'without a type'}`);
    }
  };
  const startMs = performance.now();
  await Promise.all(Array.from({ length: atOnce }, worker));
  return (urls.length * 1000) / (performance.now() - startMs);
}

/**
 * Under names of their own each time: to replace images is to remove their renderings, and for seconds ext4
 * looks past each inode that was just given back (a tenth of what libuv's threads did).
 */
let batch = 0;
async function putCopies(
  server: Afterimage,
  each: { readonly source: number; readonly side: number; readonly format: Case['format'] },
  count: number,
): Promise<string[]> {
  batch += 1;
  const image = await makePhoto(each.source, each.format);
  const ids = Array.from({ length: count }, (_, copy) => `source-${batch}-${copy}`);
  for (const id of ids) await server.put(id, image);
  return ids.map((id) => `${server.url(id)}?w=${each.side}&format=webp`);
}

/** All images at one quality, then all at the next: nothing is rendered twice from what is still at hand. */
function atQualities(urls: readonly string[], qualities: readonly number[]): string[] {
  return qualities.flatMap((quality) => urls.map((url) => `${url}&q=${quality}`));
}

/**
 * The folders of the disk tier, as they are after some ten thousand entries. Each is made once in a cache's
 * life, but by nearly every write of a new one, and ext4 takes up to 0.7 ms for it.
 */
function makeFolders(cacheDir: string): void {
  const { folderOf } = createDiskPaths(cacheDir);
  for (let at = 0; at < 4096; at += 1) {
    mkdirSync(folderOf(at.toString(16).padStart(3, '0')), { recursive: true });
  }
}

async function warmUp(server: Afterimage, bench: Bench): Promise<void> {
  if (bench.effort.name === 'smoke') return;
  bench.say('warming up: small renderings');
  const { images, side, qualities } = WARM_UP;
  const urls = await putCopies(server, { source: side, side, format: 'png' }, images);
  await renderMany(atQualities(urls, qualities), AT_ONCE);
}

async function measureSharp(each: Case, effort: string, bench: Bench): Promise<Sample> {
  const file = join(bench.dir, 'source');
  writeFileSync(file, await makePhoto(each.source, each.format));
  const count = String(COUNTS[bench.effort.name]);
  const args = [BARE_SHARP, file, String(each.side), effort, count, each.qualities.join(',')];
  const [program = '', ...rest] = pinned(bench.machine.serverCore, process.execPath, args);
  // Its own program is who printed it.
  return JSON.parse((await run(program, rest)).stdout) as Sample;
}

async function measureCase(
  server: Afterimage,
  each: Case,
  bench: Bench,
  effort = EFFORT,
  others: readonly Subject[] = [],
): Promise<Row> {
  const own = async (): Promise<Sample> => {
    // Taking the images in is no part of it, nor is the processor time of that.
    const urls = await putCopies(server, each, COUNTS[bench.effort.name]);
    const all = atQualities(urls, each.qualities);
    return observed([server.pid], async () => ({ value: await renderMany(all, AT_ONCE) }));
  };
  return interleave(
    { label: each.label, unit: 'renderings/s', better: 'more' },
    [
      { name: 'Afterimage', pids: [server.pid], measure: own },
      { name: 'bare sharp', pids: [], measure: async () => measureSharp(each, effort, bench) },
      ...others,
    ],
    bench,
  );
}

/** A row of its own, at ipx's own effort; undefined where ipx can't be had. */
async function measureIpx(bench: Bench): Promise<Row | undefined> {
  const ipx = await startIpx(bench);
  if (ipx === undefined) return undefined;
  const count = COUNTS[bench.effort.name];
  try {
    await ipx.put(await makePhoto(LIKE_IPX.source, LIKE_IPX.format), count);
    const urls = Array.from({ length: count }, (_, copy) => ipx.url(copy, LIKE_IPX.side));
    const measure = async (): Promise<Sample> => ({ value: await renderMany(urls, AT_ONCE) });
    return await withServer(IPX_EFFORT, bench, async (server) =>
      measureCase(server, LIKE_IPX, bench, IPX_EFFORT, [{ name: 'ipx', pids: [ipx.pid], measure }]),
    );
  } finally {
    await ipx.stop();
  }
}

/**
 * Paced hits, alone and while renderings are asked for as fast as they come. Who asks for these gives way to
 * wrk, with which it shares a core: the times would be of that core otherwise, and were, by half.
 */
async function measureStorm(server: Afterimage, bench: Bench): Promise<Row> {
  const hits = async (seconds: number) =>
    bench.load(server.url('hot'), { connections: CONNECTIONS, seconds, perSecond: HITS_PER_SECOND });
  const storm = async (seconds: number): Promise<Sample> => {
    const images = await putCopies(server, LIKE_IPX, COUNTS[bench.effort.name]);
    const addresses = join(bench.dir, 'addresses');
    // More than can be rendered meanwhile: the storm lasts as long as the look at the hits.
    writeFileSync(addresses, atQualities(images, STORM_QUALITIES).join('\n'));
    const args = ['-n', '19', process.execPath, ASK_LOAD, addresses, String(STORM_AT_ONCE)];
    const asker = await startProcess('nice', args, {
      core: bench.machine.loadCore,
      isReady: (output) => output.includes('asking'),
    });
    try {
      const sample = await hits(seconds);
      if (asker.output() !== 'asking\n') throw new Error(`the storm ended early: ${asker.output()}`);
      return sample;
    } finally {
      await asker.stop();
    }
  };
  return interleave(
    { label: 'hits', unit: 'requests/s', better: 'more' },
    [
      { name: STORM, pids: [server.pid], measure: storm },
      { name: IDLE, pids: [server.pid], measure: hits },
    ],
    bench,
  );
}

async function withServer<T>(
  effort: string,
  bench: Bench,
  work: (server: Afterimage) => Promise<T>,
): Promise<T> {
  const server = await startAfterimage(bench.dir, new Map([['hot', makePng(64 * 1024)]]), bench.machine, {
    name: `Afterimage effort ${effort}`,
    env: { WEBP_EFFORT: effort, WORKER_QUEUE: '4096' },
    ...(bench.effort.name === 'smoke' ? {} : { prepare: makeFolders }),
  });
  try {
    await warmUp(server, bench);
    return await work(server);
  } finally {
    await server.stop();
  }
}

async function runAll(bench: Bench): Promise<Outcome> {
  const cases = bench.effort.name === 'full' ? CASES : CASES.slice(1, 2);
  const rows = await withServer(EFFORT, bench, async (server) => {
    const measured: Row[] = [];
    for (const each of cases) measured.push(await measureCase(server, each, bench));
    return [...measured, await measureStorm(server, bench)];
  });
  const ipx = bench.effort.name === 'quick' ? undefined : await measureIpx(bench);
  return {
    rows: ipx === undefined ? rows : [...rows, ipx],
    targets: TARGETS.filter(({ row }) => rows.some(({ label }) => label === row)),
    notes: [
      `each rendering is of another image or quality and asked for once; ${AT_ONCE} at once; effort ${EFFORT}; both ` +
        'have rendered before, and have as many images in memory, each in a buffer of its own; Afterimage ' +
        'stores every rendering on disk, where its folders are made already; bare sharp ' +
        'stores nothing, answers nobody and looks at no header (bench/programs/bare-sharp.ts)',
      `storm: ${STORM_AT_ONCE} renderings at once of 1024 px PNG on the server's one core, while ` +
        `${HITS_PER_SECOND} hits of 64 KB a second are asked for`,
      `ipx: files on disk, sharp of its own, keeps no rendering (bench/peers/programs/ipx.js); it has no ` +
        `setting for effort, so all three are at sharp's default of ${IPX_EFFORT} in its row`,
    ],
    missing: ipx === undefined && bench.effort.name !== 'quick' ? [missingPackage('ipx')] : [],
  };
}

export const variants: Scenario = {
  name: 'variants',
  question: 'What do renderings cost, and what do they cost others?',
  takesS: { quick: 30, full: 240 },
  run: runAll,
};
