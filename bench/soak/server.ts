/** The real server as a child process with settings of the soak, inside a memory cgroup where there is one. */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { answers, freePort, startProcess, type Running } from '../start-process.ts';
import type { Cage } from './cage.ts';
import type { CeilingSettings } from './ceiling.ts';

export interface SoakServer extends Running {
  readonly port: number;
  readonly base: string;
  readonly cacheDir: string;
  readonly allocator: string;
}

export interface ServerOptions {
  readonly dir: string;
  readonly settings: CeilingSettings;
  readonly more: Readonly<Record<string, string>>;
  readonly cage: Cage | undefined;
}

const LAUNCH = fileURLToPath(new URL('../../src/launch.cjs', import.meta.url));
/** As the Dockerfile has it. */
const JEMALLOC = ['x86_64', 'aarch64'].map((machine) => `/usr/lib/${machine}-linux-gnu/libjemalloc.so.2`);
/** Into the group first: what the server takes while it starts counts, too. */
const ENTER = 'echo $$ > "$0/cgroup.procs" && exec "$@"';

export async function startSoakServer({ dir, settings, more, cage }: ServerOptions): Promise<SoakServer> {
  const cacheDir = join(dir, 'cache');
  mkdirSync(cacheDir, { recursive: true });
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const jemalloc = JEMALLOC.find((path) => existsSync(path));
  const own = Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, String(value)]));
  const env = {
    HOST: '127.0.0.1',
    PORT: String(port),
    CACHE_DIR: cacheDir,
    LOG_LEVEL: 'warn',
    LOG_FORMAT: 'json',
    ...own,
    ...more,
  };
  const command = [process.execPath, LAUNCH, 'serve'];
  const [program = '', ...args] = cage === undefined ? command : ['sh', '-c', ENTER, cage.dir, ...command];
  const running = await startProcess(program, args, {
    core: undefined,
    cwd: dir,
    env: jemalloc === undefined ? env : { ...env, LD_PRELOAD: jemalloc },
    isReady: async () => answers(`${base}/readyz`),
  });
  const allocator = jemalloc === undefined ? "the system's" : 'jemalloc';
  return { ...running, port, base, cacheDir, allocator };
}
