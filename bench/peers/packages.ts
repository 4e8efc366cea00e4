/**
 * The npm packages of peers, in a folder of their own (bench/peers/package.json): ipx brings a second
 * libvips, which has no place beside the product's. Installed when a run first needs them.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Bench } from '../scenario.ts';

/** From dist/bench/peers back to the sources: these programs are run as they stand. */
const FOLDER = fileURLToPath(new URL('../../../bench/peers/', import.meta.url));
const COMMAND = 'npm ci --prefix bench/peers';
const run = promisify(execFile);
const DEADLINE_MS = 180_000;
/** What npm writes last: a folder without it was left half installed. */
const MARK = `${FOLDER}node_modules/.package-lock.json`;

let tried: Promise<boolean> | undefined;

async function install({ say }: Pick<Bench, 'say'>): Promise<boolean> {
  say(`installing peers that npm has: ${COMMAND}`);
  try {
    await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel', 'error'], {
      cwd: FOLDER,
      timeout: DEADLINE_MS,
    });
    say('peers installed');
    return existsSync(MARK);
  } catch (error) {
    // npm goes on with pages of usage.
    const why = error instanceof Error ? error.message.split('\n').slice(0, 4).join(' ') : String(error);
    say(`peers could not be installed: ${why}`);
    say(`going on without them; by hand: ${COMMAND}`);
    return false;
  }
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
