/**
 * `npm run bench:compare -- <commit> [<commit>]`: builds two commits in work trees of their own, runs
 * their servers interleaved on hits, and says which is faster by how much, with the noise. Without a
 * second commit, the work tree as it is.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { interleave } from './interleave.ts';
import { chooseLoad } from './load/http-load.ts';
import { describeMachine, pinSelf } from './machine.ts';
import { makePng } from './make-png.ts';
import { startAfterimage, type Afterimage } from './peers/afterimage.ts';
import { number, spread } from './report/format.ts';
import { quietValues, ratioOfSeries, spreadOf, type Spread } from './report/statistics.ts';
import type { Bench, Effort, Row } from './scenario.ts';

const SIZES = [4 * 1024, 512 * 1024];
const CONNECTIONS = 64;
const FULL: Effort = { name: 'full', rounds: 9, seconds: 2, warmUpSeconds: 1 };
const QUICK: Effort = { name: 'quick', rounds: 5, seconds: 1, warmUpSeconds: 1 };
const SMOKE: Effort = { name: 'smoke', rounds: 1, seconds: 1, warmUpSeconds: 1 };

interface Side {
  readonly name: string;
  readonly launch: string;
}

function git(...args: readonly string[]): string {
  return execFileSync('git', args, { encoding: 'utf8' }).trim();
}

/** The same packages for both: the lock file of a commit may name others, which is said. */
function buildCommit(commit: string, dir: string): Side {
  const tree = join(dir, commit);
  git('worktree', 'add', '--detach', tree, commit);
  symlinkSync(join(process.cwd(), 'node_modules'), join(tree, 'node_modules'));
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: tree, stdio: ['ignore', 'ignore', 'inherit'] });
  const isSameLock = git('diff', '--stat', commit, 'HEAD', '--', 'package-lock.json') === '';
  if (!isSameLock) process.stderr.write(`${commit} names other packages; it runs on those installed here\n`);
  return { name: commit, launch: join(tree, 'dist/src/launch.cjs') };
}

/** Quartiles would need more rounds: the noise is how far the ratios of the rounds lie apart. */
function verdict(ratio: Spread): string {
  const percent = (value: number): string => `${value >= 1 ? '+' : ''}${((value - 1) * 100).toFixed(1)} %`;
  const noise = `${percent(ratio.least)} to ${percent(ratio.most)}`;
  if (ratio.least > 1) return `the second is faster: ${percent(ratio.median)} (${noise})`;
  if (ratio.most < 1) return `the second is slower: ${percent(ratio.median)} (${noise})`;
  return `no difference beyond the noise: ${percent(ratio.median)} (${noise})`;
}

function say(row: Row): void {
  const [first, second] = row.series;
  if (first === undefined || second === undefined) return;
  const of = (measure: 'value' | 'perCore') => ratioOfSeries(second, first, measure);
  for (const series of [first, second]) {
    const perCore = spreadOf(quietValues(series, 'perCore')).median;
    const line = `${spread(spreadOf(quietValues(series)))} ${row.unit}, ${number(perCore)} a core-second`;
    process.stdout.write(`${row.label}  ${series.subject}: ${line}\n`);
  }
  process.stdout.write(`${row.label}  by requests/s: ${verdict(of('value'))}\n`);
  process.stdout.write(`${row.label}  by core-second: ${verdict(of('perCore'))}\n`);
}

async function compare(sides: readonly Side[], bench: Bench): Promise<void> {
  const images = new Map(SIZES.map((bytes) => [`${bytes}.png`, makePng(bytes)]));
  const servers: Afterimage[] = [];
  try {
    for (const { name, launch } of sides) {
      servers.push(await startAfterimage(bench.dir, images, bench.machine, { name, launch }));
    }
    for (const bytes of SIZES) {
      const subjects = servers.map((server) => ({
        name: server.name,
        pids: [server.pid],
        measure: async (seconds: number) =>
          bench.load(server.url(`${bytes}.png`), { connections: CONNECTIONS, seconds }),
      }));
      const label = `hit ${bytes / 1024} KB`;
      say(await interleave({ label, unit: 'requests/s', better: 'more' }, subjects, bench));
    }
  } finally {
    for (const server of servers.toReversed()) await server.stop();
  }
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { quick: { type: 'boolean' }, smoke: { type: 'boolean' } },
  });
  const [before, after] = positionals.map((commit) => git('rev-parse', '--short', commit));
  if (before === undefined) {
    process.stderr.write('npm run bench:compare -- <commit> [<commit>] [--quick] [--smoke]\n');
    process.exit(2);
  }
  const machine = describeMachine();
  const effort = values.smoke ? SMOKE : values.quick ? QUICK : FULL;
  const sayProgress = (progress: string) => void process.stderr.write(`${progress}\n`);
  const maker = await chooseLoad({ machine, effort, say: sayProgress });
  if (typeof maker === 'string') {
    process.stderr.write(`There is nothing to make load with. ${maker}\n`);
    process.exit(2);
  }
  pinSelf(machine);
  const dir = mkdtempSync(join(tmpdir(), 'afterimage-compare-'));
  try {
    const own = { name: 'work tree', launch: join(process.cwd(), 'dist/src/launch.cjs') };
    const sides = [buildCommit(before, dir), after === undefined ? own : buildCommit(after, dir)];
    const bench = { effort, machine, load: maker.in(dir), dir, say: sayProgress };
    await compare(sides, bench);
  } finally {
    rmSync(dir, { recursive: true, force: true });
    git('worktree', 'prune');
  }
}

await main();
