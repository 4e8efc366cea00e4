/** Fastify with @fastify/static over the same bytes in files, set up as in programs/fastify-static.js. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench } from '../scenario.ts';
import { freePort, startProcess } from '../start-process.ts';
import { peerProgram } from './packages.ts';
import type { Images, Peer } from './peer.ts';

export async function startFastify(images: Images, bench: Bench): Promise<Peer | undefined> {
  const program = await peerProgram('fastify-static', bench);
  if (program === undefined) return undefined;
  const own = join(bench.dir, 'fastify');
  mkdirSync(own, { recursive: true });
  for (const [name, bytes] of images) writeFileSync(join(own, name), bytes);
  const port = await freePort();
  const running = await startProcess(process.execPath, [program, String(port), own], {
    core: bench.machine.serverCore,
    env: { NODE_ENV: 'production' },
    isReady: (output) => output.includes('ready'),
  });
  const base = `http://127.0.0.1:${port}`;
  return {
    name: 'Fastify',
    settings:
      'with @fastify/static, one process, a route for each file, no log (bench/peers/programs/fastify-static.js)',
    base,
    pid: running.pid,
    url: (image) => `${base}/images/${image}`,
    stop: running.stop,
  };
}
