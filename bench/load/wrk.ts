/** Load from wrk, pinned to the load's core; a run with any failed request is refused. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Machine } from '../machine.ts';
import type { LoadOptions, Sample } from '../scenario.ts';
import { pinned } from '../start-process.ts';

export interface WrkPlace {
  readonly machine: Machine;
  /** Where its scripts are written. */
  readonly dir: string;
}

const run = promisify(execFile);
const GRACE_MS = 20_000;
const TO_MS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000, m: 60_000 };

/**
 * Half load: each connection waits before its next request, at random around the mean, so that the whole
 * asks for `perSecond`. wrk takes the time of a request after that wait, so it does not count it.
 */
function pacing(perSecond: number, connections: number): string {
  const meanMs = (connections / perSecond) * 1000;
  return `function delay()\n  return math.random(0, ${Math.max(1, Math.round(2 * meanMs))})\nend\n`;
}

/** Every request is rendered before the first is sent: a line of Lua is what each then costs. */
function sequence(paths: string, from: number): string {
  return [
    `local requests, at = {}, ${from}`,
    'function init()',
    `  for path in io.lines(${JSON.stringify(paths)}) do requests[#requests + 1] = wrk.format('GET', path) end`,
    'end',
    'function request()',
    '  at = at + 1',
    '  return requests[at % #requests + 1]',
    'end\n',
  ].join('\n');
}

function scriptOf({ perSecond, connections, paths, from = 0 }: LoadOptions): string {
  const paced = perSecond === undefined ? '' : pacing(perSecond, connections);
  return paced + (paths === undefined ? '' : sequence(paths, from));
}

function latency(text: string, percent: number): number {
  const match = new RegExp(`^\\s+${percent}%\\s+([\\d.]+)(us|ms|s|m)`, 'm').exec(text);
  return Number(match?.[1] ?? Number.NaN) * (TO_MS[match?.[2] ?? ''] ?? Number.NaN);
}

export async function wrk(url: string, options: LoadOptions, { machine, dir }: WrkPlace): Promise<Sample> {
  const args = ['-t1', `-c${options.connections}`, `-d${Math.max(1, Math.round(options.seconds))}s`];
  for (const header of options.headers ?? []) args.push('-H', header);
  const script = scriptOf(options);
  if (script !== '') {
    const path = join(dir, 'wrk.lua');
    writeFileSync(path, script);
    args.push('-s', path);
  }
  const [program = 'wrk', ...rest] = pinned(machine.loadCore, 'wrk', [...args, '--latency', url]);
  const { stdout } = await run(program, rest, { timeout: options.seconds * 1000 + GRACE_MS });
  const refused = /Non-2xx or 3xx responses: (\d+)/.exec(stdout) ?? /Socket errors: (.*)/.exec(stdout);
  if (refused !== null) throw new Error(`wrk on ${url}: ${refused[0]}`);
  const perSecond = Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1] ?? Number.NaN);
  if (!(perSecond > 0)) throw new Error(`wrk on ${url} said:\n${stdout}`);
  return { value: perSecond, p50Ms: latency(stdout, 50), p99Ms: latency(stdout, 99) };
}
