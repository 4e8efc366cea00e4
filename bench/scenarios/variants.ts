/** Renderings that are not cached yet, beside sharp alone; and what hits suffer while encodes storm. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { interleave } from '../interleave.ts';
import { makePhoto } from '../make-photo.ts';
import { makePng } from '../make-png.ts';
import { startAfterimage, type Afterimage } from '../peers/afterimage.ts';
import type { Bench, Outcome, Row, Sample, Scenario, Target } from '../scenario.ts';
import { pinned } from '../start-process.ts';

const BARE_SHARP = fileURLToPath(new URL('../programs/bare-sharp.js', import.meta.url));
const run = promisify(execFile);
const EFFORT = '2';
const AT_ONCE = 4;
const STORM_AT_ONCE = 16;
const HITS_PER_SECOND = 1000;
const CONNECTIONS = 8;
const COUNTS = { smoke: 4, quick: 24, full: 80 } as const;
const CASES = [
  { label: '512 px PNG to WebP 64', source: 512, side: 64, format: 'png' },
  { label: '1024 px PNG to WebP 512', source: 1024, side: 512, format: 'png' },
  { label: '1024 px JPEG to WebP 512', source: 1024, side: 512, format: 'jpeg' },
] as const;

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

/** Every rendering has a quality and a version of its own, so that none is cached and none is shared. */
let turn = 0;
async function renderMany(server: Afterimage, id: string, side: number, count: number, atOnce: number) {
  let left = count;
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      turn += 1;
      const response = await fetch(`${server.url(`${id}-${turn % count}`)}?w=${side}&format=webp`);
      await response.arrayBuffer();
      if (!response.ok) throw new Error(`rendering: ${response.status}`);
    }
  };
  const startMs = performance.now();
  await Promise.all(Array.from({ length: atOnce }, worker));
  return (count * 1000) / (performance.now() - startMs);
}

async function putCopies(server: Afterimage, id: string, image: Buffer, count: number): Promise<void> {
  for (let copy = 0; copy < count; copy += 1) await server.put(`${id}-${copy}`, image);
}

async function measureCase(server: Afterimage, each: (typeof CASES)[number], bench: Bench): Promise<Row> {
  const count = COUNTS[bench.effort.name];
  const image = await makePhoto(each.source, each.format);
  const file = join(bench.dir, 'source');
  writeFileSync(file, image);
  const own = async (): Promise<Sample> => {
    // Putting the same bytes again is no change: another seed makes the renderings new.
    await putCopies(server, 'source', await makePhoto(each.source, each.format, (turn % 1000) + 2), count);
    return { value: await renderMany(server, 'source', each.side, count, AT_ONCE) };
  };
  const bare = async (): Promise<Sample> => {
    const args = [BARE_SHARP, file, String(each.side), EFFORT, String(count)];
    const [program = '', ...rest] = pinned(bench.machine.serverCore, process.execPath, args);
    // Its own program is who printed it.
    return JSON.parse((await run(program, rest)).stdout) as Sample;
  };
  return interleave(
    { label: each.label, unit: 'renderings/s', better: 'more' },
    [
      { name: 'Afterimage', measure: own },
      { name: 'bare sharp', measure: bare },
    ],
    bench,
  );
}

/** Paced hits, alone and while renderings are asked for as fast as they come. */
async function measureStorm(server: Afterimage, bench: Bench): Promise<Row> {
  const hits = async (seconds: number) =>
    bench.load(server.url('hot'), { connections: CONNECTIONS, seconds, perSecond: HITS_PER_SECOND });
  const storm = async (seconds: number): Promise<Sample> => {
    const count = COUNTS[bench.effort.name];
    await putCopies(server, 'storm', await makePhoto(1024, 'png', turn + 1), count);
    const measured = hits(seconds);
    await renderMany(server, 'storm', 512, count, STORM_AT_ONCE);
    return measured;
  };
  return interleave(
    { label: 'hits', unit: 'requests/s', better: 'more' },
    [
      { name: STORM, measure: storm },
      { name: IDLE, measure: hits },
    ],
    bench,
  );
}

async function runAll(bench: Bench): Promise<Outcome> {
  const images = new Map([['hot', makePng(64 * 1024)]]);
  const server = await startAfterimage(bench.dir, images, bench.machine, {
    env: { WEBP_EFFORT: EFFORT, WORKER_QUEUE: '4096' },
  });
  try {
    const rows: Row[] = [];
    const cases = bench.effort.name === 'full' ? CASES : CASES.slice(1, 2);
    for (const each of cases) rows.push(await measureCase(server, each, bench));
    rows.push(await measureStorm(server, bench));
    return {
      rows,
      targets: TARGETS.filter(({ row }) => rows.some(({ label }) => label === row)),
      notes: [
        `each rendering is of another image and asked for once; ${AT_ONCE} at once; quality 80, effort ${EFFORT}; ` +
          'bare sharp keeps the source in memory and stores nothing (bench/programs/bare-sharp.ts)',
        `storm: ${STORM_AT_ONCE} renderings at once of 1024 px PNG on the server's one core, while ` +
          `${HITS_PER_SECOND} hits of 64 KB a second are asked for`,
      ],
      missing: [
        'ipx, Fastify with @fastify/static: npm install --no-save ipx fastify @fastify/static (no peer yet)',
      ],
    };
  } finally {
    await server.stop();
  }
}

export const variants: Scenario = {
  name: 'variants',
  question: 'What do renderings cost, and what do they cost others?',
  run: runAll,
};
