/** What a subscriber costs that only waits: resident memory of the server, for each stream that is open. */
import { setTimeout as sleep } from 'node:timers/promises';
import { holdStreams } from '../load/stream.ts';
import { NCHAN_MISSING, startNchan } from '../peers/event-hub.ts';
import { startAfterimage } from '../peers/afterimage.ts';
import { residentKib } from '../resident.ts';
import type { Bench, Outcome, Sample, Scenario, Series } from '../scenario.ts';

const FIRST = 1000;
const MORE = { smoke: 200, quick: 10_000, full: 10_000 } as const;
const SETTLE_MS = 1500;

interface Subject {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
  readonly path: string;
  stop(): Promise<void>;
}

/** The first thousand pays for what a server makes once; the rest is what a stream costs. */
async function measure(subject: Subject, more: number, bench: Bench): Promise<Sample> {
  const load = {
    port: subject.port,
    path: subject.path,
    isWebSocket: false,
    publishPath: '',
    publishBytes: 0,
    window: 1,
    seconds: 0,
    serverPid: subject.pid,
    holds: true,
  };
  const first = await holdStreams({ ...load, subscribers: FIRST }, bench.machine);
  try {
    await sleep(SETTLE_MS);
    const before = residentKib(subject.pid);
    const rest = await holdStreams({ ...load, subscribers: more }, bench.machine);
    await sleep(SETTLE_MS);
    const after = residentKib(subject.pid);
    await rest.stop();
    return { value: (after - before) / more };
  } finally {
    await first.stop();
  }
}

async function run(bench: Bench): Promise<Outcome> {
  const more = MORE[bench.effort.name];
  const series: Series[] = [];
  const missing: string[] = [];
  const each = async (subject: Subject): Promise<void> => {
    bench.say(`${FIRST + more} idle streams at ${subject.name}`);
    try {
      series.push({ subject: subject.name, samples: [await measure(subject, more, bench)] });
    } finally {
      await subject.stop();
    }
  };
  const own = await startAfterimage(bench.dir, new Map(), bench.machine);
  await each({ ...own, port: Number(new URL(own.base).port), path: '/events?topic=job:42' });
  // No figure compares with nchan: a short run does without.
  if (bench.effort.name !== 'quick') {
    const nchan = await startNchan(bench.dir, bench.machine);
    if (nchan === undefined) missing.push(NCHAN_MISSING);
    else await each({ ...nchan, path: nchan.ssePath });
  }
  return {
    rows: [{ label: `SSE, ${more} idle`, unit: 'KiB', better: 'less', series }],
    targets: [
      {
        figure: 'idle SSE subscriber, KiB resident',
        row: `SSE, ${more} idle`,
        subject: 'Afterimage',
        atMost: 4,
      },
    ],
    notes: [`resident memory after ${FIRST + more} streams less that after ${FIRST}, by ${more}; one look`],
    missing,
  };
}

export const idleMemory: Scenario = {
  name: 'idle-memory',
  question: 'What does a subscriber cost that only waits?',
  takesS: { quick: 7, full: 14 },
  run,
};
