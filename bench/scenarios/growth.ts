/** Hits as the memory tier fills from a hundred entries to a million: over HTTP, and the lookup alone. */
import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import { createMemoryTier, type MemoryTier } from '../../src/cache/memory-tier.ts';
import { systemClock } from '../../src/core/clock.ts';
import { interleave, type Subject } from '../interleave.ts';
import { burst } from '../load/burst.ts';
import { makePng } from '../make-png.ts';
import { startAfterimage, type Afterimage } from '../peers/afterimage.ts';
import type { Bench, Outcome, Row, Sample, Scenario } from '../scenario.ts';

const SIZES = {
  smoke: [100, 10_000],
  quick: [100, 100_000],
  full: [100, 10_000, 1_000_000],
} as const;
const GIB = 2 ** 30;
/** Images that are asked for: as many at every size, so that the processor's caches hold as much. */
const HOT = 64;
const HOT_BYTES = 1024;
const VALUE_BYTES = 16;
const CONNECTIONS = 64;
const SLICES = 4;

function nameOf(entries: number): string {
  return `${entries.toLocaleString('en-US')} entries`;
}

function fill(entries: number): MemoryTier {
  const tier = createMemoryTier({ limitBytes: 4 * GIB, limitEntries: 2_000_000 }, systemClock);
  const body = new Uint8Array(VALUE_BYTES);
  for (let at = 0; at < entries; at += 1) {
    const entry = {
      key: `image-${at}`,
      version: '00',
      mime: 'image/png',
      bytes: VALUE_BYTES,
      storedAtMs: 0,
      expiresAtMs: 0,
    };
    tier.put(entry, body);
  }
  return tier;
}

/** Nanoseconds for a lookup. Keys are made anew each time, as a request makes them. */
function measureGet(tier: MemoryTier, entries: number, seconds: number): Sample {
  const step = Math.max(1, Math.floor(entries / HOT));
  const [startMs, endMs] = [performance.now(), performance.now() + seconds * 300];
  let lookups = 0;
  while (performance.now() < endMs) {
    for (let at = 0; at < 10_000; at += 1) {
      if (tier.get(`image-${(at % HOT) * step}`) === undefined) throw new Error('an entry is gone');
    }
    lookups += 10_000;
  }
  return { value: ((performance.now() - startMs) * 1e6) / lookups };
}

async function measureLookups(bench: Bench): Promise<Row> {
  const subjects = SIZES[bench.effort.name].map((entries) => {
    const tier = fill(entries);
    return {
      name: nameOf(entries),
      measure: async (seconds: number) => measureGet(tier, entries, seconds),
    };
  });
  return interleave({ label: 'lookup', unit: 'ns', better: 'less' }, subjects, bench);
}

/** The images lie among the values: a slice of values after each few. */
async function fillServer(server: Afterimage, entries: number, bench: Bench): Promise<void> {
  bench.say(`filling ${nameOf(entries)}`);
  const values = Array.from({ length: entries - HOT }, (_, at) => `/cache/value-${at}`);
  for (let slice = 0; slice < SLICES; slice += 1) {
    const part = (all: number): [from: number, to: number] => [
      Math.floor((all * slice) / SLICES),
      Math.floor((all * (slice + 1)) / SLICES),
    ];
    const [firstHot, lastHot] = part(HOT);
    for (let hot = firstHot; hot < lastHot; hot += 1) {
      await server.put(`hot-${hot}`, makePng(HOT_BYTES, hot + 1));
    }
    const paths = values.slice(...part(values.length));
    await burst({ base: server.base, paths, connections: CONNECTIONS, putBytes: VALUE_BYTES }, bench);
  }
  const response = await fetch(`${server.base}/admin/stats`);
  // Its own server is who answered it.
  const { cache_size: held } = (await response.json()) as { readonly cache_size: number };
  if (held < entries) throw new Error(`memory holds ${held} of ${entries} entries`);
}

async function measureServers(bench: Bench, servers: Afterimage[]): Promise<Row> {
  const paths = join(bench.dir, 'hot-paths');
  writeFileSync(paths, Array.from({ length: HOT }, (_, image) => `/images/hot-${image}`).join('\n'));
  const subjects: Subject[] = [];
  for (const entries of SIZES[bench.effort.name]) {
    const env = { CACHE_DIR: '', MEMORY_CACHE_MB: '2048', MEMORY_CACHE_IMAGES: '2000000' };
    const server = await startAfterimage(bench.dir, new Map(), bench.machine, { name: nameOf(entries), env });
    servers.push(server);
    await fillServer(server, entries, bench);
    const measure = async (seconds: number) =>
      bench.load(`${server.base}/`, { connections: CONNECTIONS, seconds, paths });
    subjects.push({ name: nameOf(entries), pids: [server.pid], measure });
  }
  return interleave({ label: 'hit 1 KB', unit: 'requests/s', better: 'more' }, subjects, bench);
}

async function run(bench: Bench): Promise<Outcome> {
  const sizes = SIZES[bench.effort.name];
  const servers: Afterimage[] = [];
  try {
    const rows = [await measureServers(bench, servers), await measureLookups(bench)];
    return {
      rows,
      targets: [
        {
          figure: `hit among ${nameOf(sizes.at(-1) ?? 0)} against ${nameOf(sizes[0])}`,
          row: 'hit 1 KB',
          subject: nameOf(sizes.at(-1) ?? 0),
          peer: nameOf(sizes[0]),
          atLeast: 0.9,
        },
      ],
      notes: [
        `over HTTP: ${HOT} images of 1 KB in memory, asked for in turn on ${CONNECTIONS} connections, among so many ` +
          `values of ${VALUE_BYTES} bytes, all put through HTTP; no disk`,
        `lookup: in the process, the tier alone, ${HOT} hot keys spread over all`,
      ],
      missing: [],
    };
  } finally {
    for (const server of servers.toReversed()) await server.stop();
  }
}

export const growth: Scenario = {
  name: 'growth',
  question: 'Does a hit cost more as memory fills?',
  takesS: { quick: 0, full: 70 },
  run,
};
