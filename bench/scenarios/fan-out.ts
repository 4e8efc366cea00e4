/** One event to a thousand subscribers, at four sizes, over SSE and over WebSocket. */
import { interleave } from '../interleave.ts';
import { streamLoad } from '../load/stream.ts';
import {
  NCHAN_MISSING,
  startBareFanOut,
  startNchan,
  startOwnHub,
  type EventHub,
} from '../peers/event-hub.ts';
import type { Bench, Outcome, Row, Scenario, Target } from '../scenario.ts';

const SUBSCRIBERS = 1000;
const KIB = 1024;
const SIZES: readonly (readonly [label: string, bytes: number])[] = [
  ['0.5 KB', KIB / 2],
  ['4 KB', 4 * KIB],
  ['20 KB', 20 * KIB],
  ['200 KB', 200 * KIB],
];
/** Bytes under way to one subscriber: enough to keep a server busy, less than any peer's limit. */
const WINDOW_BYTES = 256 * KIB;
const WINDOW_EVENTS = 8;
const CEILING = 'bare uWS';
/** How much a fan-out gains from events that come close together is what this row leaves out. */
const ALONE = 'SSE 4 KB, the next when all have the last';

const TARGETS: readonly Target[] = (
  [
    ['0.5 KB', 1],
    ['4 KB', 2],
    ['20 KB', 1.8],
  ] as const
).flatMap(([size, atLeast]) => [
  {
    figure: `SSE fan-out ${size} against nchan`,
    row: `SSE ${size}`,
    subject: 'Afterimage',
    peer: 'nchan',
    atLeast,
  },
  {
    figure: `WebSocket ${size} against SSE`,
    row: `WebSocket ${size}`,
    subject: 'Afterimage',
    peer: 'Afterimage SSE',
    atLeast: 1,
  },
]);

function windowOf(frameBytes: number): number {
  return Math.max(2, Math.min(WINDOW_EVENTS, Math.floor(WINDOW_BYTES / frameBytes)));
}

function subjectOf(
  hub: EventHub,
  frameBytes: number,
  isWebSocket: boolean,
  bench: Bench,
  window = windowOf(frameBytes),
) {
  const { path, bytes } = hub.publication(frameBytes);
  const measure = async (seconds: number) =>
    streamLoad(
      {
        port: hub.port,
        path: isWebSocket ? (hub.wsPath ?? '') : hub.ssePath,
        isWebSocket,
        publishPath: path,
        publishBytes: bytes,
        subscribers: SUBSCRIBERS,
        window,
        seconds,
        serverPid: hub.pid,
        holds: false,
      },
      bench.machine,
    );
  return { name: hub.name, pids: [hub.pid], measure };
}

async function measureAll(hubs: readonly EventHub[], bench: Bench): Promise<Row[]> {
  const kind = { unit: 'deliveries/s', better: 'more' } as const;
  const rows: Row[] = [];
  const isFull = bench.effort.name === 'full';
  const isQuick = bench.effort.name === 'quick';
  const isAsked = (size: string): boolean => isFull || size === '4 KB' || size === '20 KB';
  for (const [size, bytes] of SIZES.filter(([label]) => isAsked(label))) {
    // The ceiling is looked at once.
    const asked = hubs.filter(({ name }) => name !== CEILING || (size === '4 KB' && !isQuick));
    const sse = asked.map((hub) => subjectOf(hub, bytes, false, bench));
    rows.push(await interleave({ ...kind, label: `SSE ${size}` }, sse, bench));
  }
  if (isQuick) return rows;
  const alone = hubs.map((hub) => subjectOf(hub, 4 * KIB, false, bench, 1));
  rows.push(await interleave({ ...kind, label: ALONE }, alone, bench));
  for (const [size, bytes] of SIZES.filter(([label]) => isAsked(label) && label !== '200 KB')) {
    const own = hubs.filter(({ name }) => name === 'Afterimage');
    const webSockets = hubs.filter(
      ({ name, wsPath }) => wsPath !== undefined && (size === '4 KB' || name === 'Afterimage'),
    );
    const subjects = [
      ...webSockets.map((hub) => subjectOf(hub, bytes, true, bench)),
      ...own.map((hub) => ({ ...subjectOf(hub, bytes, false, bench), name: 'Afterimage SSE' })),
    ];
    rows.push(await interleave({ ...kind, label: `WebSocket ${size}` }, subjects, bench));
  }
  return rows;
}

async function run(bench: Bench): Promise<Outcome> {
  const hubs: EventHub[] = [];
  const missing: string[] = [];
  try {
    hubs.push(await startOwnHub(bench.machine));
    const nchan = await startNchan(bench.dir, bench.machine);
    if (nchan === undefined) missing.push(NCHAN_MISSING);
    else hubs.push(nchan);
    if (bench.effort.name !== 'quick') hubs.push(await startBareFanOut(bench.machine));
    const rows = await measureAll(hubs, bench);
    return {
      rows,
      targets: TARGETS.filter((target) => rows.some(({ label }) => label === target.row)),
      notes: [
        `${SUBSCRIBERS} subscribers over TCP in one process (bench/programs/stream-load.ts), every one of which ` +
          `must have an event before another is published beyond ${WINDOW_EVENTS} (at most 256 KB) under way`,
        'p99: from publishing to the last of all subscribers having it, at full speed',
        'Afterimage sends what came within a turn of its loop at once, so events that come close together cost less than ' +
          'each alone: the row where the next is published when all have the last shows what one costs',
        "nchan writes each event for itself and leaves Nagle's algorithm on for subscribers (no setting of nginx reaches " +
          'those sockets): where its core is not full, it waits for acknowledgments, and its events travel together',
        "the client's own ceiling is the row of bare uWS, and is reached where its load is near one core",
        ...hubs.map((hub) => `${hub.name}: ${hub.settings}`),
      ],
      missing,
    };
  } finally {
    for (const hub of hubs.toReversed()) await hub.stop();
  }
}

export const fanOut: Scenario = {
  name: 'fan-out',
  question: 'How many deliveries a second do a thousand subscribers get?',
  takesS: { quick: 22, full: 200 },
  run,
};
