/** A server that starts over a full folder: when it answers, when it knows its files, what that holds up. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { LOOP_DELAY_NODE_ARGS, readLoopDelay } from '../loop-delay.ts';
import { startAfterimage, type Afterimage } from '../peers/afterimage.ts';
import { number } from '../report/format.ts';
import { residentKib } from '../resident.ts';
import type { Bench, Outcome, Row, Scenario, Series } from '../scenario.ts';
import { pinned } from '../start-process.ts';

const PROGRAM = fileURLToPath(new URL('../programs/fill-folder.js', import.meta.url));
const FILES = { smoke: 1000, quick: 10_000, full: 1_000_000 } as const;
const INDEXED = 'disk tier indexed';
const INDEX_DEADLINE_MS = 900_000;
const PROBES_PER_SECOND = 100;
const GIB_IN_MB = 1024;

interface Start {
  readonly listeningMs: number;
  readonly indexedMs: number;
  readonly loopP99Ms: number;
  readonly loopMostMs: number;
  readonly residentMib: number;
  /** Of files asked for while the folder was being read. */
  readonly probeMs: readonly number[];
}

/** On all cores, in a process of its own: the harness has only one. */
async function fill(dir: string, files: number, { machine }: Bench): Promise<void> {
  const args = [PROGRAM, dir, String(files)];
  const [program = '', ...rest] = pinned(machine.allCores, process.execPath, args);
  await promisify(execFile)(program, rest);
}

/** Asks for one file after another, each of them cold, until the index is there. */
async function probeUntilIndexed(server: Afterimage, files: number): Promise<number[]> {
  const deadlineMs = performance.now() + INDEX_DEADLINE_MS;
  const probeMs: number[] = [];
  for (let at = 1; !server.output().includes(INDEXED); at += 1) {
    if (performance.now() > deadlineMs) throw new Error('the folder was not indexed in time');
    const id = `file-${(at * 7919) % Math.max(1, files)}`;
    const startMs = performance.now();
    const response = await fetch(server.url(id));
    await response.arrayBuffer();
    if (files > 0 && !response.ok) throw new Error(`${id} while the folder was read: ${response.status}`);
    if (files > 0) probeMs.push(performance.now() - startMs);
    await sleep(1000 / PROBES_PER_SECOND);
  }
  return probeMs;
}

async function measureStart(cacheDir: string, files: number, bench: Bench): Promise<Start> {
  const env = {
    CACHE_DIR: cacheDir,
    CACHE_SIZE_MB: String(64 * GIB_IN_MB),
    LOG_LEVEL: 'info',
    LOG_FORMAT: 'json',
  };
  const startMs = performance.now();
  const server = await startAfterimage(bench.dir, new Map(), bench.machine, {
    env,
    nodeArgs: LOOP_DELAY_NODE_ARGS,
  });
  try {
    const listeningMs = performance.now() - startMs;
    await readLoopDelay(server);
    const probeMs = await probeUntilIndexed(server, files);
    const indexedMs = performance.now() - startMs;
    const { p99Ms, mostMs } = await readLoopDelay(server);
    return {
      listeningMs,
      indexedMs,
      loopP99Ms: p99Ms,
      loopMostMs: mostMs,
      residentMib: residentKib(server.pid) / 1024,
      probeMs,
    };
  } finally {
    await server.stop();
  }
}

function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? Number.NaN;
}

function rowsOf(full: string, start: Start, empty: Start): Row[] {
  const row = (label: string, unit: string, of: (each: Start) => number, isBoth = true): Row => {
    const one = (subject: string, each: Start): Series => ({ subject, samples: [{ value: of(each) }] });
    const series = isBoth ? [one(full, start), one('empty folder', empty)] : [one(full, start)];
    return { label, unit, better: 'less', series };
  };
  return [
    row('until it answers', 'ms', (each) => each.listeningMs),
    row('until all is indexed', 's', (each) => each.indexedMs / 1000),
    row('loop delay while indexing', 'ms p99', (each) => each.loopP99Ms, false),
    row('a file asked for meanwhile', 'ms p99', (each) => percentile(each.probeMs, 99), false),
    row('resident memory then', 'MiB', (each) => each.residentMib),
  ];
}

async function run(bench: Bench): Promise<Outcome> {
  const { [bench.effort.name]: files } = FILES;
  const [cacheDir, emptyDir] = [join(bench.dir, 'full-cache'), join(bench.dir, 'empty-cache')];
  bench.say(`writing ${files} files`);
  const fillMs = performance.now();
  await fill(cacheDir, files, bench);
  const tookS = (performance.now() - fillMs) / 1000;
  bench.say(`written in ${number(tookS)} s; starting over them`);
  const empty = await measureStart(emptyDir, 0, bench);
  const start = await measureStart(cacheDir, files, bench);
  const name = `${files.toLocaleString('en-US')} files`;
  return {
    rows: rowsOf(name, start, empty),
    targets: [
      {
        figure: `loop delay while ${name} are indexed, p99 ms`,
        row: 'loop delay while indexing',
        subject: name,
        atMost: 20,
      },
    ],
    notes: [
      `one start each, from spawning to the first answer of /readyz, with the folder’s names and heads in the system’s cache; ` +
        `files of 600 bytes and their heads, written by the disk tier itself in ${number(tookS)} s`,
      `the longest that the loop was held while indexing: ${number(start.loopMostMs)} ms; ` +
        `${start.probeMs.length} files asked for meanwhile, each of them served, p50 ${number(percentile(start.probeMs, 50))} ms`,
    ],
    missing: [],
  };
}

export const restart: Scenario = {
  name: 'restart',
  question: 'What does a start over a full folder cost?',
  takesS: { quick: 4, full: 240 },
  run,
};
