/** A seed's own server before the product, in Node: a program of bench/programs on the server's core. */
import { fileURLToPath } from 'node:url';
import type { Bench } from '../scenario.ts';
import { freePort, startProcess } from '../start-process.ts';

export interface Before {
  readonly base: string;
  readonly pid: number;
  stop(): Promise<void>;
}

export async function startBefore(
  program: 's1-before' | 's3-app',
  args: readonly string[],
  { machine }: Bench,
): Promise<Before> {
  const path = fileURLToPath(new URL(`../programs/${program}.js`, import.meta.url));
  const port = await freePort();
  const running = await startProcess(process.execPath, [path, String(port), ...args], {
    core: machine.serverCore,
    isReady: (output) => output.includes('ready'),
  });
  return { base: `http://127.0.0.1:${port}`, pid: running.pid, stop: running.stop };
}
