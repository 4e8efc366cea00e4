/** Base64 coming in at a steady rate: does the event loop, which serves everybody else, stay free? */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { putLoad } from '../load/put.ts';
import { LOOP_DELAY_NODE_ARGS, readLoopDelay } from '../loop-delay.ts';
import { makePng } from '../make-png.ts';
import { startAfterimage, type Afterimage } from '../peers/afterimage.ts';
import { observed } from '../processor-time.ts';
import type { Bench, Outcome, Row, Sample, Scenario } from '../scenario.ts';

const RATES_MB = [20, 100];
const BASE64_GROWTH = 4 / 3;

async function measure(server: Afterimage, file: string, bytes: number, rateMb: number, bench: Bench) {
  const { machine } = bench;
  const load = {
    base: server.base,
    file,
    form: 'base64' as const,
    perSecond: (rateMb * 1e6) / (bytes * BASE64_GROWTH),
    redisPort: 0,
    follows: false,
  };
  await putLoad({ ...load, seconds: 1 }, machine);
  await readLoopDelay(server);
  const samples: Sample[] = [];
  const taken: number[] = [];
  for (let round = 0; round < bench.effort.rounds; round += 1) {
    bench.say(`${rateMb} MB/s: round ${round + 1} of ${bench.effort.rounds}`);
    const seconds = 2 * bench.effort.seconds;
    const sample = await observed([server.pid], async () => {
      const { mbPerSecond } = await putLoad({ ...load, seconds }, machine);
      taken.push(mbPerSecond);
      const { p50Ms, p99Ms } = await readLoopDelay(server);
      return { value: p99Ms, p50Ms, p99Ms };
    });
    samples.push(sample);
  }
  return { samples, taken };
}

async function run(bench: Bench): Promise<Outcome> {
  const image = makePng(1024 * 1024);
  const file = join(bench.dir, 'image.png');
  writeFileSync(file, image);
  // Workers beside the loop, as in production: on one core they would take turns with it.
  const unpinned = { ...bench.machine, serverCore: bench.machine.allCores, loadCore: bench.machine.allCores };
  const server = await startAfterimage(bench.dir, new Map(), unpinned, { nodeArgs: LOOP_DELAY_NODE_ARGS });
  const rows: Row[] = [];
  const notes: string[] = [];
  try {
    const rates = bench.effort.name === 'quick' ? RATES_MB.slice(-1) : RATES_MB;
    for (const rateMb of rates) {
      const { samples, taken } = await measure(server, file, image.length, rateMb, {
        ...bench,
        machine: unpinned,
      });
      rows.push({
        label: `${rateMb} MB/s of base64`,
        unit: 'ms p99 of the loop',
        better: 'less',
        series: [{ subject: 'Afterimage', samples }],
      });
      notes.push(`asked ${rateMb} MB/s, taken ${taken.map((each) => each.toFixed(0)).join(', ')} MB/s`);
    }
  } finally {
    await server.stop();
  }
  return {
    rows,
    targets: [
      {
        figure: 'loop delay at 100 MB/s of base64, p99 ms',
        row: '100 MB/s of base64',
        subject: 'Afterimage',
        atMost: 5,
      },
    ],
    notes: [
      `PNG images of ${(image.length / 1e6).toFixed(1)} MB as base64 in JSON, each decoded, checked, previewed, stored; ` +
        "monitorEventLoopDelay in the server's main thread, loaded from outside (bench/programs/loop-delay.cts)",
      'not pinned: loop, workers and the load share all cores',
      ...notes,
    ],
    missing: [],
  };
}

export const ingest: Scenario = {
  name: 'ingest',
  question: 'Does the loop stay free while base64 pours in?',
  takesS: { quick: 8, full: 35 },
  run,
};
