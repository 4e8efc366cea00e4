/** S4's table again: an image of 1 MB, before (Redis, JSON, base64 on every request) and after. */
import { fileURLToPath } from 'node:url';
import { interleave, type Subject } from '../interleave.ts';
import { whichTool } from '../machine.ts';
import { makePhoto } from '../make-photo.ts';
import { startAfterimage } from '../peers/afterimage.ts';
import { REDIS_MISSING, setInRedis, startRedis } from '../peers/redis.ts';
import { quietValues, spreadOf } from '../report/statistics.ts';
import type { Bench, Outcome, Row, Scenario, Target } from '../scenario.ts';
import { freePort, startProcess, type Running } from '../start-process.ts';

const ID = 'hero_abc123';
/** About 1 MB as PNG. */
const SIDE = 800;
const TILE = '?w=512&format=webp';
const TILE_ROW = 'the 512 px tile that a page of them shows';
const KNOWN_ROW = 'again, from a browser that has it';
const PYTHON = 'before, Python';
const CONNECTIONS = 16;
const PROGRAMS = fileURLToPath(new URL('../programs/', import.meta.url));
/** Python is not built: it lies beside the sources. */
const PYTHON_PROGRAM = fileURLToPath(new URL('../../../bench/programs/s4-before.py', import.meta.url));

const TARGETS: readonly Target[] = [
  {
    figure: 'S4 after/before, requests/s',
    row: 'again',
    subject: 'Afterimage',
    peer: 'before, Node',
    atLeast: 100,
  },
  {
    figure: 'S4 after/before as documented, requests/s',
    row: 'again',
    subject: 'Afterimage',
    peer: PYTHON,
    atLeast: 100,
  },
  {
    figure: 'S4 the browser asks again, after/before',
    row: KNOWN_ROW,
    subject: 'Afterimage',
    peer: 'before, Node',
    atLeast: 100,
  },
  {
    figure: 'S4 the tile that the page shows, after/before',
    row: TILE_ROW,
    subject: 'Afterimage',
    peer: 'before, Node',
    atLeast: 100,
  },
  { figure: 'hit p99 at half load, ms', row: 'at half load', subject: 'Afterimage', of: 'p99Ms', atMost: 1 },
];

interface Site {
  readonly name: string;
  readonly url: string;
  /** Of the smaller picture; the server before had one size. */
  readonly tileUrl: string;
  readonly pids: readonly number[];
  /** What a browser that has the image sends; the server before gave it nothing to send. */
  readonly revalidation: readonly string[];
}

async function startBefore(
  command: string,
  program: string,
  redisPort: number,
  bench: Bench,
  started: Running[],
) {
  const port = await freePort();
  const running = await startProcess(command, [program, String(port), String(redisPort)], {
    core: bench.machine.serverCore,
    isReady: (output) => output.includes('ready'),
  });
  started.push(running);
  const url = `http://127.0.0.1:${port}/images/${ID}`;
  return { url, tileUrl: url, pid: running.pid };
}

async function startSites(bench: Bench, started: Running[], missing: string[]): Promise<Site[]> {
  const image = await makePhoto(SIDE, 'png');
  const after = await startAfterimage(bench.dir, new Map([[ID, image]]), bench.machine);
  started.push({ pid: after.pid, output: () => '', stop: after.stop });
  const response = await fetch(after.url(ID));
  await response.arrayBuffer();
  const tileUrl = `${after.url(ID)}${TILE}`;
  await (await fetch(tileUrl)).arrayBuffer();
  const revalidation = [`If-None-Match: ${response.headers.get('etag') ?? ''}`];
  const sites: Site[] = [
    { name: 'Afterimage', url: after.url(ID), tileUrl, pids: [after.pid], revalidation },
  ];
  const redis = await startRedis(bench.machine);
  if (redis === undefined) {
    missing.push(REDIS_MISSING);
    return sites;
  }
  started.push(redis);
  const stored = { base64_data: image.toString('base64'), mime_type: 'image/png', created_at: 1_763_672_400 };
  setInRedis(redis.port, `image:${ID}`, JSON.stringify(stored));
  const node = await startBefore(process.execPath, `${PROGRAMS}s4-before.js`, redis.port, bench, started);
  sites.push({ name: 'before, Node', ...node, pids: [node.pid, redis.pid], revalidation: [] });
  // A short run shows one of the two servers before.
  if (bench.effort.name === 'quick') return sites;
  const python = whichTool('python3');
  if (python === undefined) missing.push('Python, for S4 as its document writes it: apt-get install python3');
  else {
    const site = await startBefore(python, PYTHON_PROGRAM, redis.port, bench, started);
    sites.push({ name: PYTHON, ...site, pids: [site.pid, redis.pid], revalidation: [] });
  }
  return sites;
}

type Visit = 'whole' | 'again' | 'tile';

function subjects(sites: readonly Site[], bench: Bench, visit: Visit): Subject[] {
  return sites.map((site) => {
    const headers = visit === 'again' ? site.revalidation : [];
    const url = visit === 'tile' ? site.tileUrl : site.url;
    const measure = async (seconds: number) =>
      bench.load(url, { connections: CONNECTIONS, seconds, headers });
    return { name: site.name, pids: site.pids, measure };
  });
}

/** Each at half of what it has just shown to be able to do: the latency that a user meets. */
function halfLoad(sites: readonly Site[], full: Row, bench: Bench): Subject[] {
  return sites.map((site) => {
    const shown = full.series.find((series) => series.subject === site.name);
    const perSecond = spreadOf(shown === undefined ? [] : quietValues(shown)).median / 2;
    const measure = async (seconds: number) => {
      const sample = await bench.load(site.url, { connections: CONNECTIONS, seconds, perSecond });
      return { ...sample, value: sample.p50Ms ?? Number.NaN };
    };
    return { name: site.name, pids: site.pids, measure };
  });
}

async function run(bench: Bench): Promise<Outcome> {
  const started: Running[] = [];
  const missing: string[] = [];
  try {
    const sites = await startSites(bench, started, missing);
    const kind = { unit: 'requests/s', better: 'more' } as const;
    const again = await interleave({ ...kind, label: 'again' }, subjects(sites, bench, 'whole'), bench);
    const rows = [again];
    const isQuick = bench.effort.name === 'quick';
    if (!isQuick)
      rows.push(await interleave({ ...kind, label: KNOWN_ROW }, subjects(sites, bench, 'again'), bench));
    const tile = await interleave({ ...kind, label: TILE_ROW }, subjects(sites, bench, 'tile'), bench);
    const half = await interleave(
      { label: 'at half load', unit: 'ms p50', better: 'less' },
      halfLoad(isQuick ? sites.slice(0, 1) : sites, again, bench),
      bench,
    );
    return {
      rows: [...rows, tile, half],
      targets: TARGETS.filter(({ row, peer }) => !isQuick || (row !== KNOWN_ROW && peer !== PYTHON)),
      notes: [
        `one PNG of ${SIDE} px and about 1 MB, ${CONNECTIONS} connections; the server before and its Redis share the server's core, ` +
          'on one host: without the 10 to 20 ms of network to Redis that S4 had',
        'before, Python: standard library only (bench/programs/s4-before.py), so without the cost of FastAPI; ' +
          'to get that: pip install fastapi uvicorn redis',
        'a browser that has the image revalidates with its ETag; S4 gave it none, so it is sent all again',
        `the tile: ${TILE}, of which the server before knew nothing, so that it sends the whole`,
      ],
      missing,
    };
  } finally {
    for (const each of started.toReversed()) await each.stop();
  }
}

export const s4: Scenario = {
  name: 's4',
  question: 'What does S4 gain: Redis, JSON and base64 on every request, or not?',
  takesS: { quick: 14, full: 70 },
  run,
};
