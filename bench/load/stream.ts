/** Runs the stream load pinned to the load's core, and reads its one line. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Machine } from '../machine.ts';
import type { StreamLoad } from '../programs/stream-load.ts';
import type { Sample } from '../scenario.ts';
import { pinned, startProcess, type Running } from '../start-process.ts';

const PROGRAM = fileURLToPath(new URL('../programs/stream-load.js', import.meta.url));
const run = promisify(execFile);

export async function streamLoad(load: StreamLoad, machine: Machine): Promise<Sample> {
  const args = [PROGRAM, JSON.stringify(load)];
  const [program = '', ...rest] = pinned(machine.loadCore, process.execPath, args);
  const { stdout } = await run(program, rest);
  // Its own program is who printed it.
  return JSON.parse(stdout) as Sample;
}

/** Opens the streams and leaves them idle until stopped. */
export async function holdStreams(load: StreamLoad, machine: Machine): Promise<Running> {
  return startProcess(process.execPath, [PROGRAM, JSON.stringify({ ...load, holds: true })], {
    core: machine.loadCore,
    isReady: (output) => output.includes('holding'),
  });
}
