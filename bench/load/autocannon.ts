/** Load from autocannon (bench/peers/programs/autocannon.js), pinned; a run with any failed request is refused. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Machine } from '../machine.ts';
import type { LoadOptions, Sample } from '../scenario.ts';
import { pinned } from '../start-process.ts';

const run = promisify(execFile);
const GRACE_MS = 20_000;

interface Printed {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly failed: number;
}

export async function autocannon(
  program: string,
  url: string,
  options: LoadOptions,
  machine: Machine,
): Promise<Sample> {
  const load = JSON.stringify({ url, headers: [], ...options });
  const [node = '', ...rest] = pinned(machine.loadCore, process.execPath, [program, load]);
  const { stdout } = await run(node, rest, { timeout: options.seconds * 1000 + GRACE_MS });
  // Its own program is who printed it.
  const { perSecond, p50, p99, failed } = JSON.parse(stdout) as Printed;
  if (failed > 0 || !(perSecond > 0)) throw new Error(`autocannon on ${url}: ${failed} failed\n${stdout}`);
  return { value: perSecond, p50Ms: p50, p99Ms: p99 };
}
