/** S1's table again: images in Azure, downloaded on every request, and behind the product. */
import { interleave, type Subject } from '../interleave.ts';
import { burst } from '../load/burst.ts';
import { makePng } from '../make-png.ts';
import { startAfterimage } from '../peers/afterimage.ts';
import { AZURITE_MISSING, startAzurite, type AzuriteServer } from '../peers/azurite.ts';
import { startBefore } from '../peers/before.ts';
import type { Bench, Outcome, Row, Scenario, Series, Target } from '../scenario.ts';
import { zipf } from '../trace.ts';

const CONTAINER = 'encounters';
const DELAY_MS = 200;
const IMAGE_BYTES = 256 * 1024;
/** Requests for one look, one after the other. */
const FIRST = { smoke: 1, quick: 2, full: 4 } as const;
const AGAIN = {
  before: { smoke: 1, quick: 2, full: 4 },
  after: { smoke: 20, quick: 200, full: 1000 },
} as const;
/** First requests need blobs that nobody has asked for: warm-up, rounds, disturbed looks. */
const FRESH = { smoke: 4, quick: 16, full: 100 } as const;
/** Blobs and requests of the trace. */
const TRACE = { smoke: [20, 100], quick: [100, 1000], full: [500, 5000] } as const;
const SKEW = 0.9;
const CONNECTIONS = 32;
/** S1's own: `MAX_CACHE_SIZE = 100`, 100 MB, nothing below memory. */
const OWN_LIMITS = { MEMORY_CACHE_IMAGES: '100', MEMORY_CACHE_MB: '100', CACHE_DIR: '' };

interface Site {
  readonly name: string;
  readonly base: string;
  readonly pid: number;
  readonly again: number;
  stop(): Promise<void>;
}

const TARGETS: readonly Target[] = [
  { figure: 'S1 again, ms', row: 'again', subject: 'Afterimage', atMost: 5 },
  { figure: 'S1 Azure calls, % of requests', row: 'calls to Azure', subject: 'Afterimage', atMost: 30 },
];

async function fillAzure({ container }: AzuriteServer, effort: Bench['effort']['name']): Promise<void> {
  const image = makePng(IMAGE_BYTES);
  const names = [
    'again',
    ...Array.from({ length: FRESH[effort] }, (_, at) => `fresh-${at}`),
    ...Array.from({ length: TRACE[effort][0] }, (_, at) => `key-${at}`),
  ];
  for (const name of names) await container.getBlockBlobClient(name).uploadData(image);
}

async function startSites(azurite: AzuriteServer, bench: Bench, sites: Site[]): Promise<void> {
  const { name: effort } = bench.effort;
  const azure = {
    AZURE_STORAGE_CONNECTION_STRING: azurite.connectionString,
    AZURE_STORAGE_CONTAINER: CONTAINER,
  };
  const start = async (name: string, env: Readonly<Record<string, string>>): Promise<void> => {
    const server = await startAfterimage(bench.dir, new Map(), bench.machine, {
      name,
      env: { ...azure, ...env },
    });
    sites.push({ ...server, again: AGAIN.after[effort] });
  };
  await start('Afterimage', {});
  const before = await startBefore('s1-before', [azurite.connectionString, CONTAINER], bench);
  sites.push({ ...before, name: 'before', again: AGAIN.before[effort] });
  await start("Afterimage, S1's limits", OWN_LIMITS);
}

function firstSubject(site: Site, bench: Bench): Subject {
  let fresh = 0;
  const measure = async () => {
    const count = FIRST[bench.effort.name];
    const paths = Array.from({ length: count }, (_, at) => `/images/fresh-${fresh + at}`);
    fresh += count;
    const { p50Ms, p99Ms } = await burst({ base: site.base, paths, connections: 1 }, bench);
    return { value: p50Ms, p50Ms, p99Ms };
  };
  return { name: site.name, measure };
}

function againSubject(site: Site, bench: Bench): Subject {
  const paths = Array.from({ length: site.again }, () => '/images/again');
  const measure = async () => {
    const { p50Ms, p99Ms } = await burst({ base: site.base, paths, connections: 1 }, bench);
    return { value: p50Ms, p50Ms, p99Ms };
  };
  return { name: site.name, measure };
}

/** Once over a trace: which share of the requests reached Azure. The server before is asked a short one. */
async function measureCalls(azurite: AzuriteServer, sites: readonly Site[], bench: Bench): Promise<Row> {
  const [blobs, requests] = TRACE[bench.effort.name];
  const trace = zipf(blobs, requests, SKEW, 0).map((name) => `/images/${name}`);
  const series: Series[] = [];
  for (const site of sites) {
    bench.say(`calls to Azure: ${site.name}`);
    const paths = site.name === 'before' ? trace.slice(0, requests / 10) : trace;
    const before = azurite.calls();
    await burst({ base: site.base, paths, connections: CONNECTIONS }, bench);
    series.push({
      subject: site.name,
      samples: [{ value: (100 * (azurite.calls() - before)) / paths.length }],
    });
  }
  return { label: 'calls to Azure', unit: '% of requests', better: 'less', series };
}

async function run(bench: Bench): Promise<Outcome> {
  const azurite = await startAzurite(CONTAINER, DELAY_MS, bench.machine);
  if (azurite === undefined) return { rows: [], targets: [], notes: [], missing: [AZURITE_MISSING] };
  const sites: Site[] = [];
  try {
    await fillAzure(azurite, bench.effort.name);
    await startSites(azurite, bench, sites);
    const both = sites.slice(0, 2);
    const kind = { unit: 'ms p50', better: 'less' } as const;
    const first = both.map((site) => firstSubject(site, bench));
    const again = both.map((site) => againSubject(site, bench));
    const [blobs, requests] = TRACE[bench.effort.name];
    return {
      rows: [
        await interleave({ ...kind, label: 'first' }, first, bench),
        await interleave({ ...kind, label: 'again' }, again, bench),
        await measureCalls(azurite, sites, bench),
      ],
      targets: TARGETS,
      notes: [
        'S1 wrote: first 200–500 ms before and after, again 200–500 ms before and 5–20 ms after, 10–30 % of the calls',
        `Azurite with ${DELAY_MS} ms added to every call by a proxy that counts them; blobs of 256 KB; ` +
          'before: bench/programs/s1-before.ts, a download for every request',
        `calls: ${requests} requests drawn by zipf ${SKEW} over ${blobs} blobs on ${CONNECTIONS} connections, all cold ` +
          "at the start; with S1's limits memory holds 100 images or 100 MB and there is no disk",
      ],
      missing: [],
    };
  } finally {
    for (const site of sites.toReversed()) await site.stop();
    await azurite.stop();
  }
}

export const s1: Scenario = {
  name: 's1',
  question: 'What does S1 gain: Azure on every request, or not?',
  takesS: { quick: 0, full: 35 },
  run,
};
