/** A bare handler that reads the image anew for each request: from Redis, files or Azure. */
import { fileURLToPath } from 'node:url';
import type { Machine } from '../machine.ts';
import type { ColdSource } from '../programs/bare-cold.ts';
import { freePort, startProcess } from '../start-process.ts';
import type { Peer } from './peer.ts';

const PROGRAM = fileURLToPath(new URL('../programs/bare-cold.js', import.meta.url));

export async function startBareCold(source: ColdSource, machine: Machine): Promise<Peer> {
  const port = await freePort();
  const running = await startProcess(process.execPath, [PROGRAM, String(port), JSON.stringify(source)], {
    core: machine.serverCore,
    isReady: (output) => output.includes('ready'),
  });
  const base = `http://127.0.0.1:${port}`;
  return {
    name: 'bare read',
    settings: 'a bare handler that reads and decodes for each request (bench/programs/bare-cold.ts)',
    base,
    pid: running.pid,
    url: (image) => `${base}/images/${image}`,
    stop: running.stop,
  };
}
