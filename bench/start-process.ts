/**
 * Child processes of a run: started pinned, waited for until they answer, ended in the reverse order
 * whatever happens. Nothing outlives the harness.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Running {
  readonly pid: number;
  /** What it printed, the newest 16 KiB. */
  output(): string;
  stop(): Promise<void>;
}

export interface ProcessOptions {
  readonly core: string | undefined;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Resolves when it can be used; asked again until then. */
  readonly isReady: (output: string) => Promise<boolean> | boolean;
}

const READY_DEADLINE_MS = 30_000;
const READY_PAUSE_MS = 25;
const STOP_DEADLINE_MS = 5000;
const OUTPUT_KEPT = 16 * 1024;
const SHOWN = 600;

const alive = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

/** Where taskset is: `exec`s the command, so that the process id is the command's own. */
export function pinned(core: string | undefined, command: string, args: readonly string[]): string[] {
  return core === undefined ? [command, ...args] : ['taskset', '-c', core, command, ...args];
}

export async function startProcess(
  command: string,
  args: readonly string[],
  options: ProcessOptions,
): Promise<Running> {
  const [program = command, ...rest] = pinned(options.core, command, args);
  const child = spawn(program, rest, {
    cwd: options.cwd,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let failed = '';
  const keep = (text: Buffer): void => {
    output = (output + text.toString()).slice(-OUTPUT_KEPT);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  child.once('error', (error) => (failed = error.message));
  alive.add(child);
  child.once('exit', () => alive.delete(child));

  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null || failed !== '';
  const stop = async (): Promise<void> => {
    if (hasEnded()) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    const killer = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
    await ended;
    clearTimeout(killer);
  };

  const deadline = Date.now() + READY_DEADLINE_MS;
  while (Date.now() < deadline && !hasEnded()) {
    if (await options.isReady(output)) return { pid: child.pid ?? 0, output: () => output, stop };
    await sleep(READY_PAUSE_MS);
  }
  await stop();
  throw new Error(`${command} ${args.join(' ')} did not become ready\n${failed}${output.slice(-SHOWN)}`);
}

export async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}

export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (typeof address === 'object' && address !== null) return address.port;
  throw new Error('no free port');
}
