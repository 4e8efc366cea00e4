/** Ten thousand images of mixed sizes, some asked for far more than others; memory holds a tenth of them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { imageKey } from '../../src/core/keys.ts';
import { interleave, type Subject } from '../interleave.ts';
import { makePng, noise } from '../make-png.ts';
import { startAfterimage, type Afterimage } from '../peers/afterimage.ts';
import { NGINX_MISSING, startNginx } from '../peers/nginx.ts';
import type { Peer } from '../peers/peer.ts';
import { fillDisk } from '../programs/fill-disk.ts';
import type { Bench, Outcome, Row, Sample, Scenario } from '../scenario.ts';
import { zipf } from '../trace.ts';

const IMAGES = { smoke: 200, quick: 2000, full: 10_000 } as const;
const REQUESTS = 200_000;
const SKEW = 0.9;
const CONNECTIONS = 64;
const LEAST_BYTES = 4 * 1024;
/** 4 to 64 KB, small ones more often. */
const SPAN = 16;
const MEMORY_SHARE = 0.1;
const MIB = 1024 * 1024;
const CHECKED = 50;
/** Where in the sequence each look begins: the same for all subjects, another in each round. */
const STEP = 12_347;

function makeImages(count: number): Map<string, Buffer> {
  const draws = noise(count, 5);
  return new Map(
    Array.from({ length: count }, (_, at) => {
      const bytes = Math.round(LEAST_BYTES * SPAN ** ((draws[at] ?? 0) / 255));
      return [`key-${at}`, makePng(bytes, at + 1)];
    }),
  );
}

async function assertServes(peer: Peer, images: ReadonlyMap<string, Buffer>): Promise<void> {
  const step = Math.max(1, Math.floor(images.size / CHECKED));
  for (let at = 0; at < images.size; at += step) {
    const response = await fetch(peer.url(`key-${at}`));
    const body = Buffer.from(await response.arrayBuffer());
    if (!body.equals(images.get(`key-${at}`) ?? Buffer.alloc(0))) {
      throw new Error(`${peer.name} does not serve key-${at}: ${response.status}`);
    }
  }
}

interface Counts {
  readonly total: number;
  readonly memory_hits: number;
}

async function countsOf(server: Afterimage): Promise<Counts> {
  const response = await fetch(`${server.base}/admin/stats`);
  // Its own server is who answered it.
  return ((await response.json()) as { readonly requests: Counts }).requests;
}

interface Site {
  readonly peer: Peer;
  /** What memory answered of each look, in percent; absent where there is no such tier. */
  readonly own?: { readonly server: Afterimage; readonly shares: Sample[] };
}

function subjectOf({ peer, own }: Site, paths: string, bench: Bench): Subject {
  let round = 0;
  const measure = async (seconds: number): Promise<Sample> => {
    const before = own === undefined ? undefined : await countsOf(own.server);
    const sample = await bench.load(`${peer.base}/`, {
      connections: CONNECTIONS,
      seconds,
      paths,
      from: (round * STEP) % REQUESTS,
    });
    round += 1;
    if (own !== undefined && before !== undefined) {
      const after = await countsOf(own.server);
      const share = (after.memory_hits - before.memory_hits) / (after.total - before.total);
      own.shares.push({ value: 100 * share });
    }
    return sample;
  };
  return { name: peer.name, pids: [peer.pid], measure };
}

async function startSites(
  images: ReadonlyMap<string, Buffer>,
  bench: Bench,
  sites: Site[],
): Promise<string[]> {
  let bytes = 0;
  for (const image of images.values()) bytes += image.byteLength;
  const memory = { MEMORY_CACHE_MB: String(Math.max(1, Math.round((bytes * MEMORY_SHARE) / MIB))) };
  const entries = [...images].map(([name, body]) => ({ key: imageKey(name), body }));
  const policies = bench.effort.name === 'full' ? (['lru', 'sieve'] as const) : (['lru'] as const);
  for (const policy of policies) {
    bench.say(`filling the disk tier with ${images.size} images, ${Math.round(bytes / MIB)} MiB`);
    const cacheDir = join(bench.dir, `inherited-${policy}`);
    await fillDisk(cacheDir, entries);
    const server = await startAfterimage(bench.dir, new Map(), bench.machine, {
      name: policy === 'lru' ? 'Afterimage' : 'Afterimage, SIEVE',
      env: { ...memory, CACHE_DIR: cacheDir, MEMORY_POLICY: policy },
    });
    sites.push({ peer: server, own: { server, shares: [] } });
  }
  const nginx = await startNginx(bench.dir, images, bench.machine);
  if (nginx === undefined) return [NGINX_MISSING];
  sites.splice(1, 0, { peer: nginx });
  return [];
}

async function run(bench: Bench): Promise<Outcome> {
  const images = makeImages(IMAGES[bench.effort.name]);
  const paths = join(bench.dir, 'zipf-paths');
  const trace = zipf(images.size, REQUESTS, SKEW, 0);
  writeFileSync(paths, trace.map((name) => `/images/${name}`).join('\n'));
  const sites: Site[] = [];
  try {
    const missing = await startSites(images, bench, sites);
    for (const { peer } of sites) await assertServes(peer, images);
    const subjects = sites.map((site) => subjectOf(site, paths, bench));
    const label = `zipf ${SKEW} over ${images.size.toLocaleString('en-US')} images`;
    const row = await interleave({ label, unit: 'requests/s', better: 'more' }, subjects, bench);
    const series = sites.flatMap(({ peer, own }) =>
      own === undefined ? [] : [{ subject: peer.name, samples: own.shares }],
    );
    const memory: Row = { label: 'answered from memory', unit: '%', better: 'more', series };
    return {
      rows: [row, memory],
      targets: [],
      notes: [
        `images of 4 to 64 KB, small ones more often; ${REQUESTS} requests drawn once under a seed, over and over, on ` +
          `${CONNECTIONS} connections; every round begins elsewhere in them, at the same place for all`,
        'memory is a tenth of all bytes, the rest comes from the disk tier; for nginx and for the disk tier the files ' +
          'are in the page cache',
        ...sites.map(({ peer }) => `${peer.name}: ${peer.settings}`),
      ],
      missing,
    };
  } finally {
    for (const { peer } of sites.toReversed()) await peer.stop();
  }
}

export const zipfMix: Scenario = {
  name: 'zipf-mix',
  question: 'What if memory holds only a tenth of what is asked for?',
  takesS: { quick: 0, full: 60 },
  run,
};
