/**
 * The npm packages of peers, in a folder of their own (bench/peers/package.json): ipx brings a second
 * libvips, which has no place beside the product's. Installed when a run first needs them.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Bench } from '../scenario.ts';

/** From dist/bench/peers back to the sources: these programs are run as they stand. */
const FOLDER = fileURLToPath(new URL('../../../bench/peers/', import.meta.url));
const COMMAND = 'npm ci --prefix bench/peers';
const DEADLINE_MS = 180_000;
/** What npm writes last: a folder without it was left half installed. */
const MARK = `${FOLDER}node_modules/.package-lock.json`;

let tried: Promise<boolean> | undefined;

async function install(bench: Pick<Bench, 'say'>): Promise<boolean> {
  bench.say(`installing peers that npm has: ${COMMAND}`);
  const args = ['ci', '--prefix', FOLDER, '--no-audit', '--no-fund', '--loglevel', 'error'];
  const child = spawn('npm', args, { stdio: ['ignore', 'ignore', 'inherit'], timeout: DEADLINE_MS });
  const [code] = await once(child, 'close').catch(() => [1]);
  bench.say(code === 0 ? 'peers installed' : `peers could not be installed; by hand: ${COMMAND}`);
  return code === 0 && existsSync(MARK);
}

/** The path of a peer's program; undefined where its packages are missing and cannot be had. */
export async function peerProgram(
  name: string,
  bench: Pick<Bench, 'effort' | 'say'>,
): Promise<string | undefined> {
  // A smoke run must not depend on a registry.
  const mayInstall = bench.effort.name !== 'smoke';
  const isThere = existsSync(MARK) || (mayInstall && (await (tried ??= install(bench))));
  return isThere ? `${FOLDER}programs/${name}.js` : undefined;
}

export function missingPackage(name: string): string {
  return `${name}: ${COMMAND}`;
}
