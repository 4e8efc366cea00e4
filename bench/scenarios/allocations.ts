/** Bytes of JavaScript heap that an answer from memory takes: what the collector has to clean up behind it. */
import {
  COUNTING_NODE_ARGS,
  countAllocations,
  type Allocations,
  type Counted,
} from '../micro/hot-path-allocations.ts';
import { makePng } from '../make-png.ts';
import { startAfterimage } from '../peers/afterimage.ts';
import { startBareUws } from '../peers/bare-uws.ts';
import type { Peer } from '../peers/peer.ts';
import { number } from '../report/format.ts';
import type { Bench, Outcome, Row, Scenario, Series } from '../scenario.ts';

const IMAGE = '4096.png';
const HITS = { smoke: 5000, quick: 10_000, full: 200_000 } as const;
const KINDS = [
  { label: 'hit 4 KB', status: 200 },
  { label: '304', status: 304 },
] as const;
const SITES_SHOWN = 8;

type Server = Peer & Counted;

async function headersOf(server: Server, status: number): Promise<readonly string[]> {
  if (status !== 304) return [];
  const response = await fetch(server.url(IMAGE));
  await response.arrayBuffer();
  return [`If-None-Match: ${response.headers.get('etag') ?? ''}`];
}

function sitesLine(label: string, server: Server, { sites }: Allocations): string {
  const shown = sites.slice(0, SITES_SHOWN);
  const text = shown.map(({ site, bytesPerHit }) => `${number(bytesPerHit)} ${site}`).join('; ');
  return `${label}, ${server.name}, by sampling, bytes a hit: ${text}`;
}

async function run(bench: Bench): Promise<Outcome> {
  const { effort, dir, machine, say } = bench;
  const images = new Map([[IMAGE, makePng(4096)]]);
  const { [effort.name]: requests } = HITS;
  const servers: Server[] = [];
  const rows: Row[] = [];
  const notes: string[] = [];
  try {
    servers.push(await startAfterimage(dir, images, machine, { nodeArgs: COUNTING_NODE_ARGS }));
    servers.push(await startBareUws(dir, images, machine, COUNTING_NODE_ARGS));
    for (const { label, status } of KINDS) {
      const series: Series[] = [];
      for (const server of servers) {
        say(`${label}: ${requests} from ${server.name}`);
        const hits = {
          url: server.url(IMAGE),
          requests,
          warmUp: requests,
          status,
          headers: await headersOf(server, status),
        };
        const counted = await countAllocations(server, hits);
        series.push({ subject: server.name, samples: [{ value: counted.bytesPerHit }] });
        notes.push(sitesLine(label, server, counted));
      }
      rows.push({ label, unit: 'bytes of heap a hit', better: 'less', series });
    }
  } finally {
    for (const server of servers.toReversed()) await server.stop();
  }
  return {
    rows,
    targets: [],
    notes: [
      `${requests} hits after as many for warming up, and no collection among them (bench/micro/hot-path-allocations.ts); ` +
        'the objects of request and response and the texts of headers are the library’s, for both',
      ...notes,
    ],
    missing: [],
  };
}

export const allocations: Scenario = {
  name: 'allocations',
  question: 'What does a hit leave for the garbage collector?',
  takesS: { quick: 8, full: 25 },
  run,
};
