/** The event loop's delay in a server that was started with the hook bench/programs/loop-delay.cts. */
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Afterimage } from './peers/afterimage.ts';

const HOOK = fileURLToPath(new URL('./programs/loop-delay.cjs', import.meta.url));

/** For the Node of such a server. */
export const LOOP_DELAY_NODE_ARGS: readonly string[] = ['--require', HOOK];

export interface LoopDelay {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly mostMs: number;
}

const DEADLINE_MS = 10_000;

function linesOf(server: Afterimage): string[] {
  return server
    .output()
    .split('\n')
    .filter((line) => line.startsWith('loop-delay '));
}

/** Since the last reading, or since the start. */
export async function readLoopDelay(server: Afterimage): Promise<LoopDelay> {
  const known = linesOf(server).length;
  process.kill(server.pid, 'SIGUSR2');
  const deadlineMs = performance.now() + DEADLINE_MS;
  while (linesOf(server).length === known) {
    if (performance.now() > deadlineMs) throw new Error('the server does not say how late its loop is');
    await sleep(5);
  }
  // The hook is who printed it.
  return JSON.parse((linesOf(server).at(-1) ?? '').slice('loop-delay '.length)) as LoopDelay;
}
