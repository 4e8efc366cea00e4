/** A thousand connections ask at once for one image that is not in memory: who is called, and how often. */
import { join } from 'node:path';
import { imageKey } from '../../src/core/keys.ts';
import { interleave, type Subject } from '../interleave.ts';
import { burst } from '../load/burst.ts';
import { makePhoto } from '../make-photo.ts';
import { makePng } from '../make-png.ts';
import { startAfterimage, type Afterimage } from '../peers/afterimage.ts';
import { AZURITE_MISSING, startAzurite, type AzuriteServer } from '../peers/azurite.ts';
import { startIpx } from '../peers/ipx.ts';
import { startNginxCache } from '../peers/nginx-cache.ts';
import { NGINX_MISSING } from '../peers/nginx.ts';
import { missingPackage } from '../peers/packages.ts';
import { fillDisk } from '../programs/fill-disk.ts';
import type { Bench, Outcome, Row, Sample, Scenario, Series, Target } from '../scenario.ts';

const REQUESTS = 1000;
const IMAGE_BYTES = 64 * 1024;
const AZURE_DELAY_MS = 200;
const CONTAINER = 'images';
const VARIANT = '?w=512&format=webp';
/** A burst that was disturbed is taken again: each needs an image that nobody has asked for. */
const IMAGES = { smoke: 4, quick: 8, full: 40 } as const;

const AZURE = 'only in Azure, 200 ms away';
const DISK = 'only on disk';
const RENDERING = 'a rendering that nobody has';

interface Stampede {
  readonly name: string;
  readonly base: string;
  readonly pid: number;
  /** Calls so far to what lies below the cache; NaN where nobody counts them. */
  calls(): Promise<number> | number;
  /** The address of the image of that number. */
  path(image: number): string;
}

interface Stats {
  readonly origin_calls: number;
  readonly workers: { readonly renders: number };
  readonly tiers: readonly { readonly name: string; readonly hits: number }[];
}

async function statsOf(server: Afterimage): Promise<Stats> {
  const response = await fetch(`${server.base}/admin/stats`);
  // Its own server is who answered it.
  return (await response.json()) as Stats;
}

function subjectOf(stampede: Stampede, calls: Sample[], bench: Bench): Subject {
  let image = 0;
  const measure = async (): Promise<Sample> => {
    const before = await stampede.calls();
    const paths = Array.from({ length: REQUESTS }, () => stampede.path(image));
    image += 1;
    const { lastMs, p50Ms, p99Ms, bodyBytes } = await burst(
      { base: stampede.base, paths, connections: REQUESTS },
      bench,
    );
    if (bodyBytes === 0 || bodyBytes % REQUESTS !== 0) throw new Error('the answers are not all the same');
    calls.push({ value: (await stampede.calls()) - before });
    return { value: lastMs, p50Ms, p99Ms };
  };
  return { name: stampede.name, pids: [stampede.pid], measure };
}

async function measureRows(label: string, stampedes: readonly Stampede[], bench: Bench): Promise<Row[]> {
  // Of each burst, the warm-up's too.
  const calls = stampedes.map(({ name }) => ({ subject: name, samples: [] as Sample[] }));
  const subjects = stampedes.map((each, at) => subjectOf(each, calls[at]?.samples ?? [], bench));
  const times = await interleave({ label, unit: 'ms to the last answer', better: 'less' }, subjects, bench);
  const series: readonly Series[] = calls.filter(({ samples }) => !Number.isNaN(samples[0]?.value));
  return [times, { label: `${label}: calls below`, unit: 'calls', better: 'less', series }];
}

async function fillAzure(azurite: AzuriteServer, count: number): Promise<void> {
  for (let image = 0; image < count; image += 1) {
    const client = azurite.container.getBlockBlobClient(`blob-${image}`);
    await client.uploadData(makePng(IMAGE_BYTES, image + 1), {
      blobHTTPHeaders: { blobContentType: 'image/png' },
    });
  }
  // For nginx, which signs nothing.
  await azurite.container.setAccessPolicy('blob');
}

async function measureAzure(bench: Bench, missing: string[]): Promise<Row[]> {
  const azurite = await startAzurite(CONTAINER, AZURE_DELAY_MS, bench.machine);
  if (azurite === undefined) {
    missing.push(AZURITE_MISSING);
    return [];
  }
  const stops = [azurite.stop];
  try {
    await fillAzure(azurite, IMAGES[bench.effort.name]);
    const env = {
      CACHE_DIR: '',
      AZURE_STORAGE_CONNECTION_STRING: azurite.connectionString,
      AZURE_STORAGE_CONTAINER: CONTAINER,
    };
    const own = await startAfterimage(bench.dir, new Map(), bench.machine, { name: 'over Azure', env });
    stops.push(own.stop);
    const { calls } = azurite;
    const stampedes: Stampede[] = [
      { name: 'Afterimage', base: own.base, pid: own.pid, calls, path: (image) => `/images/blob-${image}` },
    ];
    const nginx = await startNginxCache('nginx-azure', azurite.containerUrl, bench);
    if (nginx === undefined) missing.push(NGINX_MISSING);
    else {
      stops.push(nginx.stop);
      const { base, pid } = nginx;
      stampedes.push({
        name: 'nginx, proxy_cache_lock',
        base,
        pid,
        calls,
        path: (image) => `/blob-${image}`,
      });
    }
    return await measureRows(AZURE, stampedes, bench);
  } finally {
    for (const stop of stops.toReversed()) await stop();
  }
}

async function measureDisk(bench: Bench): Promise<Row[]> {
  const cacheDir = join(bench.dir, 'inherited');
  const images = Array.from({ length: IMAGES[bench.effort.name] }, (_, image) => ({
    key: imageKey(`kept-${image}`),
    body: makePng(IMAGE_BYTES, image + 1),
  }));
  await fillDisk(cacheDir, images);
  const env = { CACHE_DIR: cacheDir, WARM_FROM_DISK: 'false' };
  const own = await startAfterimage(bench.dir, new Map(), bench.machine, { name: 'over disk', env });
  try {
    const calls = async (): Promise<number> =>
      (await statsOf(own)).tiers.find(({ name }) => name === 'disk')?.hits ?? Number.NaN;
    const path = (image: number): string => `/images/kept-${image}`;
    return await measureRows(
      DISK,
      [{ name: 'Afterimage', base: own.base, pid: own.pid, calls, path }],
      bench,
    );
  } finally {
    await own.stop();
  }
}

async function measureRendering(bench: Bench, missing: string[]): Promise<Row[]> {
  const count = IMAGES[bench.effort.name];
  const own = await startAfterimage(bench.dir, new Map(), bench.machine, {
    name: 'renders',
    env: { WEBP_EFFORT: '4' },
  });
  const stops = [own.stop];
  try {
    const photo = await makePhoto(1024, 'png');
    for (let image = 0; image < count; image += 1) await own.put(`photo-${image}`, photo);
    const renders = async (): Promise<number> => (await statsOf(own)).workers.renders;
    const path = (image: number): string => `/images/photo-${image}${VARIANT}`;
    const stampedes: Stampede[] = [
      { name: 'Afterimage', base: own.base, pid: own.pid, calls: renders, path },
    ];
    const ipx = await startIpx(bench);
    if (ipx === undefined) missing.push(missingPackage('ipx'));
    else {
      stops.push(ipx.stop);
      await ipx.put(photo, count);
      const nginx = await startNginxCache('nginx-ipx', new URL(ipx.url(0, 512)).origin, bench);
      if (nginx !== undefined) {
        stops.push(nginx.stop);
        stampedes.push({
          name: 'ipx behind nginx',
          base: nginx.base,
          pid: nginx.pid,
          calls: () => Number.NaN,
          path: (image) => new URL(ipx.url(image, 512)).pathname,
        });
      }
    }
    return await measureRows(RENDERING, stampedes, bench);
  } finally {
    for (const stop of stops.toReversed()) await stop();
  }
}

const TARGETS: readonly Target[] = [AZURE, DISK, RENDERING].map((label) => ({
  figure: `stampede of 1,000, ${label}: calls below`,
  row: `${label}: calls below`,
  subject: 'Afterimage',
  atMost: 1,
}));

async function run(bench: Bench): Promise<Outcome> {
  const missing: string[] = [];
  const rows = await measureAzure(bench, missing);
  // A short run looks at the farthest only.
  if (bench.effort.name !== 'quick') {
    rows.push(...(await measureDisk(bench)), ...(await measureRendering(bench, missing)));
  }
  return {
    rows,
    targets: TARGETS.filter(({ row }) => rows.some(({ label }) => label === row)),
    notes: [
      `${REQUESTS} connections are opened first, then each asks once for the same image, another in every round ` +
        '(bench/programs/burst-load.ts)',
      `Azure: Azurite, with a proxy before it that adds ${AZURE_DELAY_MS} ms and counts; the same blobs for both, ` +
        '64 KB; nginx asks without a signature',
      'nginx: proxy_cache with proxy_cache_lock (bench/peers/config/nginx-cache.conf); those who wait look again ' +
        'every half second',
      'disk: reads counted by the server itself; renderings: 1024 px PNG to WebP 512 at effort 4, counted by the server',
    ],
    missing,
  };
}

export const stampede: Scenario = {
  name: 'stampede',
  question: 'What happens below when a thousand ask at once for what is not in memory?',
  takesS: { quick: 9, full: 45 },
  run,
};
