/** Runs the burst load pinned to the load's core, and reads its one line; refuses a run with a failed request. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { BurstResult } from '../programs/burst-load.ts';
import type { Bench } from '../scenario.ts';
import { pinned } from '../start-process.ts';

export interface Burst {
  readonly base: string;
  readonly paths: readonly string[];
  readonly connections: number;
  /** Stores so many bytes under each path instead of asking for it. */
  readonly putBytes?: number;
}

const PROGRAM = fileURLToPath(new URL('../programs/burst-load.js', import.meta.url));
const run = promisify(execFile);

export async function burst(
  { base, paths, connections, putBytes = 0 }: Burst,
  bench: Bench,
): Promise<BurstResult> {
  const file = join(bench.dir, 'burst-paths');
  writeFileSync(file, paths.join('\n'));
  const load = JSON.stringify({ port: Number(new URL(base).port), connections, paths: file, putBytes });
  const [node = '', ...rest] = pinned(bench.machine.loadCore, process.execPath, [PROGRAM, load]);
  const { stdout } = await run(node, rest);
  // Its own program is who printed it.
  const result = JSON.parse(stdout) as BurstResult;
  if (result.failed > 0) throw new Error(`${result.failed} of ${paths.length} requests to ${base} failed`);
  return result;
}
