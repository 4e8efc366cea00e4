/** A Redis of the run's own, in memory only. */
import { execFileSync } from 'node:child_process';
import { whichTool, type Machine } from '../machine.ts';
import { freePort, startProcess, type Running } from '../start-process.ts';

export const REDIS_MISSING = 'Redis: apt-get install redis-server';

export interface RedisServer extends Running {
  readonly port: number;
}

/** Redis reads a value of `redis-cli -x` from its input: a shell argument could not be so long. */
export function setInRedis(port: number, key: string, value: string): void {
  execFileSync('redis-cli', ['-p', String(port), '-x', 'SET', key], { input: value });
}

export async function startRedis(machine: Machine): Promise<RedisServer | undefined> {
  const server = whichTool('redis-server');
  if (server === undefined || whichTool('redis-cli') === undefined) return undefined;
  const port = await freePort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const running = await startProcess(server, args, {
    core: machine.serverCore,
    isReady: (output) => output.includes('Ready to accept connections'),
  });
  return { ...running, port };
}
