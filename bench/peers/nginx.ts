/** nginx serving the same bytes from files, configured as in config/nginx.conf. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { whichTool, type Machine } from '../machine.ts';
import { answers, freePort, startProcess } from '../start-process.ts';
import type { Images, Peer } from './peer.ts';
import { writeConfig } from './write-config.ts';

export const NGINX_MISSING = 'nginx: apt-get install nginx-light';

export async function startNginx(dir: string, images: Images, machine: Machine): Promise<Peer | undefined> {
  const nginx = whichTool('nginx');
  if (nginx === undefined) return undefined;
  const own = join(dir, 'nginx');
  for (const [name, bytes] of images) {
    const path = join(own, 'files', 'images', name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
  }
  const port = await freePort();
  const config = writeConfig('nginx.conf', own, { PORT: String(port), DIR: own });
  const base = `http://127.0.0.1:${port}`;
  const first = [...images.keys()][0] ?? '';
  const running = await startProcess(nginx, ['-c', config, '-p', own, '-g', 'daemon off;'], {
    core: machine.serverCore,
    isReady: async () => answers(`${base}/images/${first}`),
  });
  return {
    name: 'nginx',
    settings: '1 worker, sendfile, open_file_cache, tcp_nopush, no log (bench/peers/config/nginx.conf)',
    base,
    pid: running.pid,
    url: (image) => `${base}/images/${image}`,
    stop: running.stop,
  };
}
