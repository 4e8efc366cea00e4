/** The built server as a process of its own, as a visitor's browser meets it; it can be stopped and started again. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const LAUNCH = fileURLToPath(new URL('../../dist/src/launch.cjs', import.meta.url));
const READY_DEADLINE_MS = 15_000;

export interface TestServer {
  readonly base: string;
  /** PUT from outside any browser; the receipt. */
  put(id: string, body: Uint8Array, query?: string): Promise<{ readonly version: string }>;
  restart(): Promise<void>;
  close(): Promise<void>;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function untilReady(base: string, child: ChildProcess, output: () => string): Promise<void> {
  const deadline = Date.now() + READY_DEADLINE_MS;
  while (Date.now() < deadline && child.exitCode === null) {
    const response = await fetch(`${base}/readyz`).catch(() => undefined);
    if (response?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`the server did not start:\n${output()}`);
}

export async function startServer(settings: Readonly<Record<string, string>> = {}): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), 'afterimage-browser-'));
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  let child: ChildProcess;

  async function start(): Promise<void> {
    const env = {
      PATH: process.env['PATH'],
      HOST: '127.0.0.1',
      PORT: String(port),
      CACHE_DIR: join(folder, 'cache'),
      LOG_LEVEL: 'warn',
      STOP_GRACE_S: '1',
      ...settings,
    };
    let output = '';
    child = spawn(process.execPath, [LAUNCH, 'serve'], { env, cwd: folder });
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (text) => (output += String(text)));
    await untilReady(base, child, () => output);
  }

  async function stop(): Promise<void> {
    if (child.exitCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  }

  await start();
  return {
    base,
    async put(id, body, query = '') {
      const token = settings['WRITE_TOKEN'];
      const headers = { 'Content-Type': 'image/png', ...(token && { Authorization: `Bearer ${token}` }) };
      const response = await fetch(`${base}/images/${id}${query}`, {
        method: 'PUT',
        body: Buffer.from(body),
        headers,
      });
      if (!response.ok) throw new Error(`PUT ${id}: ${response.status} ${await response.text()}`);
      return response.json();
    },
    async restart() {
      await stop();
      await start();
    },
    async close() {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
