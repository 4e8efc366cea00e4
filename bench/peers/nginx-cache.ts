/** nginx as a cache before a slow origin, configured as in config/nginx-cache.conf. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { whichTool } from '../machine.ts';
import type { Bench } from '../scenario.ts';
import { answers, freePort, startProcess } from '../start-process.ts';
import { writeConfig } from './write-config.ts';

export interface NginxCache {
  readonly base: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Its `/name` is the origin's own address with `/name` behind it. */
export async function startNginxCache(
  name: string,
  origin: string,
  { dir, machine }: Bench,
): Promise<NginxCache | undefined> {
  const nginx = whichTool('nginx');
  if (nginx === undefined) return undefined;
  const own = join(dir, name);
  mkdirSync(own, { recursive: true });
  const port = await freePort();
  const { host, pathname } = new URL(origin);
  const config = writeConfig('nginx-cache.conf', own, {
    PORT: String(port),
    DIR: own,
    ORIGIN: host,
    PATH: pathname === '/' ? '' : pathname,
  });
  const base = `http://127.0.0.1:${port}`;
  const running = await startProcess(nginx, ['-c', config, '-p', own, '-g', 'daemon off;'], {
    core: machine.serverCore,
    isReady: async () => answers(`${base}/health`),
  });
  return { base, pid: running.pid, stop: running.stop };
}
