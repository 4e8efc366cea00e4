/** Varnish holding the same bytes in memory, filled from another peer, configured as in config/varnish.vcl. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { whichTool, type Machine } from '../machine.ts';
import { answers, freePort, startProcess } from '../start-process.ts';
import type { Images, Peer } from './peer.ts';
import { writeConfig } from './write-config.ts';

export const VARNISH_MISSING = 'Varnish: apt-get install varnish';

export async function startVarnish(
  dir: string,
  images: Images,
  origin: Peer,
  machine: Machine,
): Promise<Peer | undefined> {
  const varnishd = whichTool('varnishd');
  if (varnishd === undefined) return undefined;
  const own = join(dir, 'varnish');
  mkdirSync(own, { recursive: true });
  const port = await freePort();
  const vcl = writeConfig('varnish.vcl', own, { ORIGIN_PORT: new URL(origin.base).port });
  const base = `http://127.0.0.1:${port}`;
  const listen = ['-F', '-n', own, '-a', `127.0.0.1:${port}`, '-f', vcl];
  const tuned = ['-s', 'malloc,512m', '-p', 'thread_pools=1', '-p', 'workspace_client=128k'];
  const running = await startProcess(varnishd, [...listen, ...tuned, '-j', 'none'], {
    core: machine.serverCore,
    isReady: async () => answers(`${base}/images/${[...images.keys()][0] ?? ''}`),
  });
  return {
    name: 'Varnish',
    settings: 'malloc storage of 512 MB, one thread pool, TTL of a day (bench/peers/config/varnish.vcl)',
    base,
    pid: running.pid,
    url: (image) => `${base}/images/${image}`,
    stop: running.stop,
  };
}
