/** Servers that fan events out: the product's hub, nginx with nchan, and a bare loop as the ceiling. */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { whichTool, type Machine } from '../machine.ts';
import { answers, freePort, startProcess, type Running } from '../start-process.ts';
import { writeConfig } from './write-config.ts';

export interface EventHub {
  readonly name: string;
  readonly settings: string;
  readonly port: number;
  readonly pid: number;
  readonly ssePath: string;
  readonly wsPath: string | undefined;
  /** Path and body length of a publication whose SSE frame has about so many bytes. */
  publication(frameBytes: number): { readonly path: string; readonly bytes: number };
  stop(): Promise<void>;
}

export const NCHAN_MISSING = 'nginx with nchan: apt-get install nginx-light libnginx-mod-nchan';

/** `id: 1763672400:0`, `data: ` and line ends. */
const NCHAN_FRAME_BYTES = 27;
const MODULE = 'ngx_nchan_module.so';
const MODULE_FOLDERS = ['/usr/lib/nginx/modules', '/usr/lib64/nginx/modules', '/usr/share/nginx/modules'];

async function startProgram(name: string, machine: Machine): Promise<{ running: Running; port: number }> {
  const program = fileURLToPath(new URL(`../programs/${name}.js`, import.meta.url));
  const port = await freePort();
  const running = await startProcess(process.execPath, [program, String(port)], {
    core: machine.serverCore,
    isReady: (output) => output.includes('ready'),
  });
  return { running, port };
}

export async function startOwnHub(machine: Machine): Promise<EventHub> {
  const { running, port } = await startProgram('event-server', machine);
  return {
    name: 'Afterimage',
    settings:
      "the product's hub, streams and bus, fed by a synthetic publisher (bench/programs/event-server.ts)",
    port,
    pid: running.pid,
    ssePath: '/events?topic=*',
    wsPath: '/ws?topic=*',
    publication: (frameBytes) => ({ path: `/publish?bytes=${frameBytes}`, bytes: frameBytes }),
    stop: running.stop,
  };
}

export async function startBareFanOut(machine: Machine): Promise<EventHub> {
  const { running, port } = await startProgram('bare-fan-out', machine);
  return {
    name: 'bare uWS',
    settings: 'the ceiling of loop and client: one prepared chunk to all (bench/programs/bare-fan-out.ts)',
    port,
    pid: running.pid,
    ssePath: '/events',
    wsPath: undefined,
    publication: (frameBytes) => ({ path: `/publish?bytes=${frameBytes}`, bytes: frameBytes }),
    stop: running.stop,
  };
}

export async function startNchan(dir: string, machine: Machine): Promise<EventHub | undefined> {
  const nginx = whichTool('nginx');
  const folder = MODULE_FOLDERS.find((each) => existsSync(join(each, MODULE)));
  if (nginx === undefined || folder === undefined) return undefined;
  const own = join(dir, 'nchan');
  mkdirSync(own, { recursive: true });
  const port = await freePort();
  const config = writeConfig('nchan.conf', own, {
    PORT: String(port),
    DIR: own,
    MODULE: join(folder, MODULE),
  });
  const running = await startProcess(nginx, ['-c', config, '-p', own, '-g', 'daemon off;'], {
    core: machine.serverCore,
    isReady: async () => answers(`http://127.0.0.1:${port}/health`),
  });
  return {
    name: 'nchan',
    settings:
      '1 worker, one channel, 512 MB of shared memory, a buffer of 64 (bench/peers/config/nchan.conf)',
    port,
    pid: running.pid,
    ssePath: '/events',
    wsPath: '/ws',
    publication: (frameBytes) => ({ path: '/publish', bytes: frameBytes - NCHAN_FRAME_BYTES }),
    stop: running.stop,
  };
}
