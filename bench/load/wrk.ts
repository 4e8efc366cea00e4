/** Closed-loop HTTP load from wrk, pinned to the load's core; a run with any failed request is refused. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Machine } from '../machine.ts';
import type { Sample } from '../scenario.ts';
import { pinned } from '../start-process.ts';

export interface WrkOptions {
  readonly connections: number;
  readonly seconds: number;
  readonly headers?: readonly string[];
  /** A Lua script's path, for other than one URL over and over. */
  readonly script?: string;
}

const run = promisify(execFile);
const GRACE_MS = 20_000;
const TO_MS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000, m: 60_000 };

function latency(text: string, percent: number): number {
  const match = new RegExp(`^\\s+${percent}%\\s+([\\d.]+)(us|ms|s|m)`, 'm').exec(text);
  return Number(match?.[1] ?? Number.NaN) * (TO_MS[match?.[2] ?? ''] ?? Number.NaN);
}

export async function wrk(url: string, options: WrkOptions, machine: Machine): Promise<Sample> {
  const args = ['-t1', `-c${options.connections}`, `-d${Math.max(1, Math.round(options.seconds))}s`];
  for (const header of options.headers ?? []) args.push('-H', header);
  if (options.script !== undefined) args.push('-s', options.script);
  const [program = 'wrk', ...rest] = pinned(machine.loadCore, 'wrk', [...args, '--latency', url]);
  const { stdout } = await run(program, rest, { timeout: options.seconds * 1000 + GRACE_MS });
  const refused = /Non-2xx or 3xx responses: (\d+)/.exec(stdout) ?? /Socket errors: (.*)/.exec(stdout);
  if (refused !== null) throw new Error(`wrk on ${url}: ${refused[0]}`);
  const perSecond = Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1] ?? Number.NaN);
  if (!(perSecond > 0)) throw new Error(`wrk on ${url} said:\n${stdout}`);
  return { value: perSecond, p50Ms: latency(stdout, 50), p99Ms: latency(stdout, 99) };
}

/**
 * Half load: each connection waits before its next request, at random around the mean, so that the whole
 * asks for `perSecond`. wrk takes the time of a request after that wait, so it does not count it.
 */
export function writePacing(dir: string, perSecond: number, connections: number): string {
  const meanMs = (connections / perSecond) * 1000;
  const path = join(dir, 'pace.lua');
  writeFileSync(
    path,
    `function delay()\n  return math.random(0, ${Math.max(1, Math.round(2 * meanMs))})\nend\n`,
  );
  return path;
}
