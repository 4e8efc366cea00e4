/** A bare uWebSockets.js handler over the same bytes: what the language and the library leave as room. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Machine } from '../machine.ts';
import { freePort, startProcess } from '../start-process.ts';
import type { Images, Peer } from './peer.ts';

const PROGRAM = fileURLToPath(new URL('../programs/bare-uws.js', import.meta.url));

export interface BareUws extends Peer {
  output(): string;
}

export async function startBareUws(
  dir: string,
  images: Images,
  machine: Machine,
  nodeArgs: readonly string[] = [],
): Promise<BareUws> {
  const own = join(dir, 'bare-uws');
  mkdirSync(own, { recursive: true });
  for (const [name, bytes] of images) writeFileSync(join(own, name), bytes);
  const port = await freePort();
  const running = await startProcess(process.execPath, [...nodeArgs, PROGRAM, String(port), own], {
    core: machine.serverCore,
    isReady: (output) => output.includes('ready'),
  });
  const base = `http://127.0.0.1:${port}`;
  return {
    name: 'bare uWS',
    settings: 'one handler, a Map, five headers, nothing else (bench/programs/bare-uws.ts)',
    base,
    pid: running.pid,
    url: (image) => `${base}/images/${image}`,
    output: running.output,
    stop: running.stop,
  };
}
