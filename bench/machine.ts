/** What the run ran on: processor, kernel, versions, which tools there are, which core is whose. */
import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { delimiter, join } from 'node:path';
import { existsSync } from 'node:fs';

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly kernel: string;
  readonly node: string;
  readonly commit: string;
  readonly startedAt: string;
  /** Others' work on the machine before the run began: above about 0.3 the numbers are worth less. */
  readonly loadBefore: number;
  readonly tools: Readonly<Record<string, string>>;
  /** Undefined where processes cannot be pinned: server and load then share whatever the system gives. */
  readonly serverCore: string | undefined;
  readonly loadCore: string | undefined;
  /** For what is not to be pinned: a child would else stay on the harness's own core. */
  readonly allCores: string | undefined;
}

/** Debian keeps servers in sbin, which a user's PATH may lack. */
const FOLDERS = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];

export function whichTool(name: string): string | undefined {
  return FOLDERS.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

const VERSION_ARGUMENTS: Readonly<Record<string, string>> = {
  nginx: '-v',
  varnishd: '-V',
  wrk: '-v',
  'redis-server': '--version',
  taskset: '--version',
};

/** wrk and nginx print theirs to stderr, and wrk ends with 1. */
function versionOf(path: string, argument: string): string {
  try {
    return firstLine(execFileSync('sh', ['-c', `"${path}" ${argument} 2>&1 || true`], { encoding: 'utf8' }));
  } catch {
    return 'unknown';
  }
}

function firstLine(text: string): string {
  return (text.trim().split('\n')[0] ?? '').slice(0, 100);
}

function commitHere(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}

export function describeMachine(): Machine {
  const tools: Record<string, string> = {};
  for (const [name, argument] of Object.entries(VERSION_ARGUMENTS)) {
    const path = whichTool(name);
    if (path !== undefined) tools[name] = versionOf(path, argument);
  }
  const pins = tools['taskset'] !== undefined && availableParallelism() > 1;
  return {
    processor: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGib: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    commit: commitHere(),
    startedAt: new Date().toISOString(),
    loadBefore: loadavg()[0] ?? 0,
    tools,
    serverCore: pins ? '0' : undefined,
    loadCore: pins ? '1' : undefined,
    allCores: pins ? `0-${availableParallelism() - 1}` : undefined,
  };
}

/** The harness is a client, too, in some scenarios: it must not take the server's core. */
export function pinSelf({ loadCore }: Machine): void {
  if (loadCore === undefined) return;
  execFileSync('taskset', ['-a', '-p', '-c', loadCore, String(process.pid)], { stdio: 'ignore' });
}
