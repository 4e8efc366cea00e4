/**
 * How many bytes of JavaScript heap a hit takes, and who takes them: counted in the server's own process,
 * with a young generation so large that nothing is collected in between.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { exactHits, type ExactLoad } from '../load/exact-hits.ts';

const HOOK = fileURLToPath(new URL('../programs/heap-watch.cjs', import.meta.url));
const YOUNG_MIB = 1024;
const CONNECTIONS = 16;
const DEADLINE_MS = 10_000;

/** For the Node of a server that is to be counted. */
export const COUNTING_NODE_ARGS = [
  '--expose-gc',
  `--min-semi-space-size=${YOUNG_MIB}`,
  `--max-semi-space-size=${YOUNG_MIB}`,
  '--require',
  HOOK,
];

export interface Counted {
  readonly pid: number;
  output(): string;
}

export interface Allocations {
  readonly bytesPerHit: number;
  /** Of the sampled bytes, most first; a function with the line it begins at. */
  readonly sites: readonly { readonly site: string; readonly bytesPerHit: number }[];
}

export interface Hits extends Omit<ExactLoad, 'connections'> {
  /** Hits before, until the code is optimized. */
  readonly warmUp: number;
}

interface Line {
  readonly step: string;
  /** Steps that were taken before. */
  readonly at: number;
  readonly bytes?: number;
  readonly collections?: number;
  readonly sites?: readonly { readonly site: string; readonly bytes: number }[];
}

function linesOf(server: Counted): Line[] {
  const lines = server.output().split('\n').slice(0, -1);
  const mine = lines.filter((line) => line.startsWith('heap-watch '));
  // The hook is who printed them.
  return mine.map((line) => JSON.parse(line.slice('heap-watch '.length)) as Line);
}

/** What the next step says. */
async function advance(server: Counted, step: string): Promise<Line> {
  const known = linesOf(server).at(-1)?.at ?? -1;
  process.kill(server.pid, 'SIGUSR2');
  const deadlineMs = performance.now() + DEADLINE_MS;
  while (performance.now() < deadlineMs) {
    const line = linesOf(server).find((each) => each.step === step && each.at > known);
    if (line !== undefined) return line;
    await sleep(10);
  }
  throw new Error(`the server never came to ${step}: ${server.output().slice(-400)}`);
}

export async function countAllocations(server: Counted, hits: Hits): Promise<Allocations> {
  const load = { ...hits, connections: CONNECTIONS };
  await exactHits({ ...load, requests: hits.warmUp });
  await advance(server, 'counting');
  await exactHits(load);
  const { bytes = Number.NaN, collections } = await advance(server, 'counted');
  if (collections !== 0) throw new Error(`${collections} collections ran while ${hits.url} was counted`);
  await exactHits(load);
  const { sites = [] } = await advance(server, 'sampled');
  return {
    bytesPerHit: bytes / hits.requests,
    sites: sites.map(({ site, bytes: size }) => ({ site, bytesPerHit: size / hits.requests })),
  };
}
