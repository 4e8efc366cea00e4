/** A Redis that keeps what it has acknowledged over a kill -9, so that nothing accepted may be lost with it. */
import { mkdirSync } from 'node:fs';
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

function isAlive(pid: number | undefined): boolean {
  try {
    return pid !== undefined && process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Undefined: there is no redis-server here. */
export async function startSoakRedis(dir: string): Promise<SoakRedis | undefined> {
  const program = whichTool('redis-server');
  if (program === undefined) return undefined;
  mkdirSync(dir, { recursive: true });
  const port = await freePort();
  const args = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--dir',
    dir,
    '--save',
    '',
    '--appendonly',
    'yes',
  ];
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
    },
  };
}
