/** The product, started as a visitor starts it, with its own defaults but for port and folder. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Machine } from '../machine.ts';
import { answers, freePort, startProcess } from '../start-process.ts';
import type { Images, Peer } from './peer.ts';

export interface Afterimage extends Peer {
  output(): string;
  put(id: string, bytes: Uint8Array, query?: string): Promise<void>;
}

export interface AfterimageOptions {
  readonly name?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Another checkout's build, for comparisons. */
  readonly launch?: string;
  readonly nodeArgs?: readonly string[];
  /** Called before it starts. */
  readonly prepare?: (cacheDir: string) => void;
}

const LAUNCH = fileURLToPath(new URL('../../src/launch.cjs', import.meta.url));

export async function startAfterimage(
  dir: string,
  images: Images,
  machine: Machine,
  options: AfterimageOptions = {},
): Promise<Afterimage> {
  const { name = 'Afterimage', env = {}, launch = LAUNCH, nodeArgs = [], prepare } = options;
  const own = join(dir, name.toLowerCase().replaceAll(/\W+/g, '-'));
  mkdirSync(own, { recursive: true });
  prepare?.(join(own, 'cache'));
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const running = await startProcess(process.execPath, [...nodeArgs, launch, 'serve'], {
    core: machine.serverCore,
    cwd: own,
    env: { HOST: '127.0.0.1', PORT: String(port), CACHE_DIR: join(own, 'cache'), LOG_LEVEL: 'warn', ...env },
    isReady: async () => answers(`${base}/readyz`),
  });
  const put = async (id: string, bytes: Uint8Array, query = ''): Promise<void> => {
    const headers = { 'content-type': 'image/png' };
    const response = await fetch(`${base}/images/${id}${query}`, { method: 'PUT', body: bytes, headers });
    const text = await response.text();
    if (!response.ok) throw new Error(`PUT /images/${id}: ${response.status} ${text}`);
  };
  for (const [id, bytes] of images) await put(id, bytes);
  const given = Object.entries(env).map(([key, value]) => `${key}=${value}`);
  return {
    name,
    settings: given.length === 0 ? 'its defaults, LOG_LEVEL=warn' : `LOG_LEVEL=warn ${given.join(' ')}`,
    base,
    pid: running.pid,
    url: (image) => `${base}/images/${image}`,
    put,
    output: running.output,
    stop: running.stop,
  };
}
