/** S3's table again: three slow API routes, asked directly, and through the product's /api. */
import { interleave, type Subject } from '../interleave.ts';
import { burst } from '../load/burst.ts';
import { startAfterimage } from '../peers/afterimage.ts';
import { startBefore } from '../peers/before.ts';
import type { Bench, Outcome, Row, Scenario, Series, Target } from '../scenario.ts';
import { zipf } from '../trace.ts';

const ROUTES = [
  { label: '/api/areas/<type>', path: '/api/areas/buy', documented: '850 ms before, 12 after' },
  { label: '/api/property-types/<type>', path: '/api/property-types/buy', documented: '450 and 15' },
  {
    label: '/api/property/valuation',
    path: '/api/property/valuation?property=1',
    documented: '1,200 and 100',
  },
] as const;
const API_ROUTES = '/api/areas/*=3600,/api/property-types/*=3600,/api/property/valuation=300';
const AGAIN = { smoke: 20, quick: 200, full: 1000 } as const;
/** Properties that are valued, and requests of the trace. */
const TRACE = { smoke: [10, 60], quick: [20, 150], full: [100, 1000] } as const;
const SKEW = 0.9;
const CONNECTIONS = 50;
const KINDS = ['buy', 'rent', 'commercial'];

interface Site {
  readonly name: string;
  readonly base: string;
  readonly pid: number;
  readonly again: number;
}

const TARGETS: readonly Target[] = [
  ...ROUTES.map(({ label }) => ({ figure: `S3 ${label}, ms`, row: label, subject: 'Afterimage', atMost: 5 })),
  { figure: 'S3 calls, % of requests', row: 'calls to the application', subject: 'Afterimage', atMost: 20 },
];

function subjectOf(site: Site, path: string, bench: Bench): Subject {
  const paths = Array.from({ length: site.again }, () => path);
  const measure = async () => {
    const { p50Ms, p99Ms } = await burst({ base: site.base, paths, connections: 1 }, bench);
    return { value: p50Ms, p50Ms, p99Ms };
  };
  return { name: site.name, pids: [site.pid], measure };
}

/** A page asks for areas, types and a valuation in turn. */
function traceOf(properties: number, requests: number): string[] {
  return zipf(properties, requests, SKEW, 0).map((property, at) => {
    const kind = KINDS[Math.floor(at / 3) % KINDS.length] ?? '';
    if (at % 3 === 0) return `/api/areas/${kind}`;
    return at % 3 === 1 ? `/api/property-types/${kind}` : `/api/property/valuation?property=${property}`;
  });
}

/** Over one trace: the share that reaches the application, and how long it takes all in all. */
async function measureTrace(app: Site, sites: readonly Site[], bench: Bench): Promise<Row[]> {
  const [properties, requests] = TRACE[bench.effort.name];
  const trace = traceOf(properties, requests);
  const calls: Series[] = [];
  const rates: Series[] = [];
  for (const site of sites) {
    bench.say(`${requests} requests of a page: ${site.name}`);
    const callsOf = async (): Promise<number> => {
      const response = await fetch(`${app.base}/calls`);
      // Its own program is who answered it.
      return ((await response.json()) as { readonly calls: number }).calls;
    };
    const before = await callsOf();
    const { lastMs } = await burst({ base: site.base, paths: trace, connections: CONNECTIONS }, bench);
    const made = (await callsOf()) - before;
    calls.push({ subject: site.name, samples: [{ value: (100 * made) / requests }] });
    rates.push({ subject: site.name, samples: [{ value: (requests * 1000) / lastMs }] });
  }
  return [
    { label: 'calls to the application', unit: '% of requests', better: 'less', series: calls },
    { label: `${CONNECTIONS} users, from cold`, unit: 'requests/s', better: 'more', series: rates },
  ];
}

async function run(bench: Bench): Promise<Outcome> {
  const started = await startBefore('s3-app', [], bench);
  const stops = [started.stop];
  try {
    const env = { API_UPSTREAM: started.base, API_ROUTES };
    const own = await startAfterimage(bench.dir, new Map(), bench.machine, { env });
    stops.push(own.stop);
    const after = { name: 'Afterimage', base: own.base, pid: own.pid, again: AGAIN[bench.effort.name] };
    const before = { name: 'before', base: started.base, pid: started.pid, again: 1 };
    const rows: Row[] = [];
    for (const { label, path } of ROUTES) {
      const subjects = [after, before].map((site) => subjectOf(site, path, bench));
      rows.push(await interleave({ label, unit: 'ms p50', better: 'less' }, subjects, bench));
    }
    const [properties] = TRACE[bench.effort.name];
    return {
      rows: [...rows, ...(await measureTrace(before, [after, before], bench))],
      targets: TARGETS,
      notes: [
        `S3 wrote: ${ROUTES.map(({ label, documented }) => `${label} ${documented}`).join('; ')}; 10–20 % of the calls`,
        'before: an application that waits as long as S3 says its database takes, and nothing else ' +
          '(bench/programs/s3-app.ts): with any number of users at once, which a database does not do',
        `the trace: areas, types and a valuation in turn, of ${properties} properties by zipf ${SKEW}; every valuation ` +
          "is cold at the start; S3's own TTLs",
      ],
      missing: [],
    };
  } finally {
    for (const stop of stops.toReversed()) await stop();
  }
}

export const s3: Scenario = {
  name: 's3',
  question: 'What does S3 gain: three slow routes, cached or not?',
  takesS: { quick: 0, full: 40 },
  run,
};
