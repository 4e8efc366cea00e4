/**
 * `npm run bench`: starts every peer itself on loopback, measures them interleaved, and writes JSON,
 * Markdown and plots. `-- --help` says how.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chooseLoad, type LoadMaker } from './load/http-load.ts';
import { describeMachine, pinSelf, type Machine } from './machine.ts';
import { renderMarkdown, writeReport, type Finished, type Run } from './report/write-report.ts';
import type { Effort, Scenario } from './scenario.ts';
import { SCENARIOS } from './scenarios.ts';

const SMOKE: Effort = { name: 'smoke', rounds: 1, seconds: 1, warmUpSeconds: 1 };
const QUICK: Effort = { name: 'quick', rounds: 2, seconds: 1, warmUpSeconds: 1 };
const FULL: Effort = { name: 'full', rounds: 5, seconds: 1, warmUpSeconds: 1 };

const RESULTS = 'bench/results';

const HELP = `npm run bench -- [scenario ...] [--quick] [--smoke] [--list] [--out folder]

  scenario   names from --list; none: all of them
  --quick    two rounds of a second, in under three minutes: some scenarios, peers and sizes left out
  --smoke    one round, no claims: does the harness still run?
  --rounds   how often each subject is measured instead
  --seconds  for how long each time instead
  --out      where the report goes (bench/results)
`;

/** Nearly every scenario needs a load: without one there is nothing to say. */
async function makerHere(machine: Machine, effort: Effort): Promise<LoadMaker> {
  const say = (progress: string): void => void process.stderr.write(`${progress}\n`);
  const maker = await chooseLoad({ machine, effort, say });
  if (typeof maker !== 'string') return maker;
  process.stderr.write(`There is nothing to make load with. ${maker}\n`);
  process.exit(2);
}

/** Named ones are run in any case; without names a quick run leaves out what takes too long for it. */
function chosen(names: readonly string[], effort: Effort): readonly Scenario[] {
  const unknown = names.find((name) => SCENARIOS.every((scenario) => scenario.name !== name));
  if (unknown !== undefined) {
    process.stderr.write(`There is no scenario ${unknown}; --list says which there are.\n`);
    process.exit(2);
  }
  if (names.length > 0) return SCENARIOS.filter(({ name }) => names.includes(name));
  return effort.name === 'quick' ? SCENARIOS.filter(({ takesS }) => takesS.quick !== 0) : SCENARIOS;
}

function listing(): string {
  const cell = (text: string): string => text.padStart(9);
  const took = (value: number): string => cell(value === 0 ? '–' : `${value} s`);
  const total = (effort: 'quick' | 'full'): string =>
    cell(`${(SCENARIOS.reduce((sum, { takesS }) => sum + takesS[effort], 0) / 60).toFixed(1)} min`);
  return [
    `${'scenario'.padEnd(14)}${cell('quick')}${cell('full')}  (on a quiet machine of two cores; –: left out)`,
    ...SCENARIOS.map(
      ({ name, question, takesS }) =>
        `${name.padEnd(14)}${took(takesS.quick)}${took(takesS.full)}  ${question}`,
    ),
    `${'all'.padEnd(14)}${total('quick')}${total('full')}`,
  ].join('\n');
}

interface Means {
  readonly effort: Effort;
  readonly machine: Machine;
  readonly maker: LoadMaker;
}

async function runAll(scenarios: readonly Scenario[], { effort, machine, maker }: Means) {
  const finished: Finished[] = [];
  const failed: string[] = [];
  const startedMs = performance.now();
  for (const scenario of scenarios) {
    const dir = mkdtempSync(join(tmpdir(), `afterimage-bench-${scenario.name}-`));
    // A peer that root started reads as another user.
    chmodSync(dir, 0o755);
    const say = (progress: string): void => {
      const seconds = Math.round((performance.now() - startedMs) / 1000);
      process.stderr.write(`[${String(seconds).padStart(4)} s] ${scenario.name}: ${progress}\n`);
    };
    try {
      finished.push({
        scenario,
        outcome: await scenario.run({ effort, machine, load: maker.in(dir), dir, say }),
      });
    } catch (error) {
      failed.push(`${scenario.name}: ${error instanceof Error ? error.message : String(error)}`);
      say(`FAILED ${failed.at(-1)}`);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  }
  return { finished, failed };
}

function wholeNumber(name: string, text: string | undefined): number | undefined {
  if (text === undefined || /^[1-9]\d{0,3}$/.test(text)) return text === undefined ? undefined : Number(text);
  process.stderr.write(`--${name} wants a whole number from 1, not ${text}\n`);
  process.exit(2);
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: 'boolean' },
      smoke: { type: 'boolean' },
      list: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      out: { type: 'string', default: RESULTS },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  if (values.list) return void process.stdout.write(`${listing()}\n`);
  const usual = values.smoke ? SMOKE : values.quick ? QUICK : FULL;
  const effort = {
    ...usual,
    rounds: wholeNumber('rounds', values.rounds) ?? usual.rounds,
    seconds: wholeNumber('seconds', values.seconds) ?? usual.seconds,
  };
  const scenarios = chosen(positionals, effort);
  const out = values.smoke && values.out === RESULTS ? join(tmpdir(), 'afterimage-bench-smoke') : values.out;
  const machine = describeMachine();
  const maker = await makerHere(machine, effort);
  pinSelf(machine);
  const startedMs = performance.now();
  const { finished, failed } = await runAll(scenarios, { effort, machine, maker });
  const run: Run = {
    machine,
    effort,
    load: maker.note,
    command: ['npm run bench --', ...process.argv.slice(2)].join(' '),
    tookS: Math.round((performance.now() - startedMs) / 1000),
    finished,
    failed,
    leftOut:
      positionals.length > 0
        ? []
        : SCENARIOS.filter((each) => !scenarios.includes(each)).map(({ name }) => name),
  };
  writeReport(run, out);
  process.stdout.write(`${renderMarkdown(run)}\nWritten to ${out}\n`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}

process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));
await main();
