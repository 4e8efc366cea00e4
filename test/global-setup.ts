/**
 * Before the first test: what they need beside Node. Installs what is missing where that is possible
 * and allowed (root with apt-get), and says so; else stops with the line to type. Nothing is skipped.
 * After the last: the table of the faults that were tried.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { FAULT_TABLE_VARIABLE, renderFaultTable } from './fault/suite/fault-table.ts';

interface Program {
  readonly name: string;
  /** Any of these will do. */
  readonly commands: readonly string[];
  /** Its package in Debian and Ubuntu. */
  readonly apt: string;
  readonly brew: string;
}

const PROGRAMS: readonly Program[] = [
  { name: 'Redis', commands: ['redis-server'], apt: 'redis-server', brew: 'redis' },
  { name: 'redis-cli', commands: ['redis-cli'], apt: 'redis-tools', brew: 'redis' },
  { name: 'nginx', commands: ['nginx'], apt: 'nginx-light', brew: 'nginx' },
  { name: 'Python', commands: ['python3'], apt: 'python3-minimal', brew: 'python3' },
  { name: 'openssl', commands: ['openssl'], apt: 'openssl', brew: 'openssl' },
  {
    name: 'Chromium',
    commands: ['chromium', 'chromium-browser', 'google-chrome'],
    apt: 'chromium',
    brew: '--cask chromium',
  },
];

const INSTALL_TIMEOUT_MS = 600_000;

/** Debian keeps nginx where only root looks; tests start it by its name. */
process.env['PATH'] = [process.env['PATH'], '/usr/sbin'].filter(Boolean).join(delimiter);

function pathOf(command: string): string | undefined {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, command);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      continue;
    }
  }
  return undefined;
}

function find(program: Program): string | undefined {
  return program.commands.map(pathOf).find((path) => path !== undefined);
}

function chromiumPath(): string | undefined {
  const chromium = PROGRAMS.find((program) => program.name === 'Chromium');
  return process.env['CHROMIUM_PATH'] ?? (chromium && find(chromium));
}

function missingPrograms(): readonly Program[] {
  return PROGRAMS.filter((program) =>
    program.name === 'Chromium' ? chromiumPath() === undefined : find(program) === undefined,
  );
}

function install(programs: readonly Program[]): void {
  const packages = programs.map((program) => program.apt);
  console.warn(`Tests need ${packages.join(', ')}: installing with apt-get.`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const options = { env, timeout: INSTALL_TIMEOUT_MS, stdio: 'inherit' } as const;
  spawnSync('apt-get', ['update', '-qq'], options);
  spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], options);
}

function howToInstall(programs: readonly Program[]): string {
  const apt = `apt-get install -y ${programs.map((program) => program.apt).join(' ')}`;
  const brew = programs.map((program) => `brew install ${program.brew}`).join(' && ');
  return process.platform === 'darwin' ? brew : `sudo ${apt}`;
}

export default function setup(): () => void {
  if (!existsSync(new URL('../dist/workers/image-worker.js', import.meta.url))) {
    throw new Error('Tests run the built workers: type npm run build (npm test does it by itself)');
  }
  const missing = missingPrograms();
  const mayInstall = process.getuid?.() === 0 && pathOf('apt-get') !== undefined;
  if (missing.length > 0 && mayInstall) install(missing);
  const still = missingPrograms();
  if (still.length > 0) {
    const names = still.map((program) => program.name).join(' and ');
    throw new Error(`Tests need ${names} on the PATH: type ${howToInstall(still)}`);
  }
  process.env['CHROMIUM_PATH'] = chromiumPath();
  const table = join(mkdtempSync(join(tmpdir(), 'afterimage-faults-')), 'rows.jsonl');
  writeFileSync(table, '');
  process.env[FAULT_TABLE_VARIABLE] = table;
  return () => {
    const text = renderFaultTable(table);
    if (text !== '') console.warn(`\n${text}`);
    rmSync(dirname(table), { recursive: true, force: true });
  };
}
