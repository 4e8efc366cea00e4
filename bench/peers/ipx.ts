/** ipx over copies of one image in files, set up as in programs/ipx.js. */
import { mkdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bench } from '../scenario.ts';
import { freePort, startProcess } from '../start-process.ts';
import { peerProgram } from './packages.ts';

export interface Ipx {
  readonly pid: number;
  /** Each copy of the image under the name that its number gives it. */
  put(image: Buffer, copies: number): Promise<void>;
  url(copy: number, side: number): string;
  stop(): Promise<void>;
}

export async function startIpx(bench: Bench): Promise<Ipx | undefined> {
  const program = await peerProgram('ipx', bench);
  if (program === undefined) return undefined;
  const own = join(bench.dir, 'ipx');
  mkdirSync(own, { recursive: true });
  const port = await freePort();
  const running = await startProcess(process.execPath, [program, String(port), own], {
    core: bench.machine.serverCore,
    env: { NODE_ENV: 'production' },
    isReady: (output) => output.includes('ready'),
  });
  return {
    pid: running.pid,
    put: async (image, copies) => {
      for (let copy = 0; copy < copies; copy += 1) await writeFile(join(own, String(copy)), image);
    },
    url: (copy, side) => `http://127.0.0.1:${port}/w_${side},f_webp,q_80/${copy}`,
    stop: running.stop,
  };
}
