/**
 * A Redis that keeps what it has acknowledged over a kill -9, so that nothing accepted may be lost with it:
 * it writes each change before it answers, in memory where there is a filesystem there.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { whichTool } from '../machine.ts';
import { freePort, startProcess, type Running } from '../start-process.ts';

export interface SoakRedis {
  readonly port: number;
  freeze(): void;
  thaw(): void;
  kill(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

const SHARED_MEMORY = '/dev/shm';

function isAlive(pid: number | undefined): boolean {
  try {
    return pid !== undefined && process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Undefined: there is no redis-server here. */
export async function startSoakRedis(): Promise<SoakRedis | undefined> {
  const program = whichTool('redis-server');
  if (program === undefined) return undefined;
  const dir = mkdtempSync(join(existsSync(SHARED_MEMORY) ? SHARED_MEMORY : tmpdir(), 'afterimage-soak-'));
  const port = await freePort();
  const flags = { port, bind: '127.0.0.1', dir, save: '', appendonly: 'yes', appendfsync: 'always' };
  const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]);
  let running: Running | undefined;
  const signal = (name: NodeJS.Signals): void => {
    if (running !== undefined) process.kill(running.pid, name);
  };
  const start = async (): Promise<void> => {
    running = await startProcess(program, args, {
      core: undefined,
      isReady: (output) => output.includes('Ready to accept connections'),
    });
  };
  await start();
  return {
    port,
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
    async kill() {
      signal('SIGKILL');
      while (isAlive(running?.pid)) await sleep(5);
      running = undefined;
    },
    start,
    async stop() {
      signal('SIGCONT');
      await running?.stop();
      running = undefined;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
