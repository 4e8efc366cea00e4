/** Runs the put load pinned to the load's core, and reads its one line. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Machine } from '../machine.ts';
import type { PutLoad } from '../programs/put-load.ts';
import { pinned } from '../start-process.ts';

const PROGRAM = fileURLToPath(new URL('../programs/put-load.js', import.meta.url));
const run = promisify(execFile);

export interface PutResult {
  /** Of bodies that were answered in time. */
  readonly mbPerSecond: number;
  readonly done: number;
  readonly failed: number;
  /** Not sent, because too many were open. */
  readonly skipped: number;
  readonly events: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export async function putLoad(load: PutLoad, machine: Machine): Promise<PutResult> {
  const args = [PROGRAM, JSON.stringify(load)];
  const [program = '', ...rest] = pinned(machine.loadCore, process.execPath, args);
  const { stdout } = await run(program, rest);
  // Its own program is who printed it.
  return JSON.parse(stdout) as PutResult;
}
