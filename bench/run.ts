/**
 * `npm run bench`: starts every peer itself on loopback, measures them interleaved, and writes JSON,
 * Markdown and plots. `-- --help` says how.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeMachine, pinSelf, type Machine } from './machine.ts';
import { renderMarkdown, writeReport, type Finished, type Run } from './report/write-report.ts';
import type { Effort, Scenario } from './scenario.ts';
import { SCENARIOS } from './scenarios.ts';

const SMOKE: Effort = { name: 'smoke', rounds: 1, seconds: 1, warmUpSeconds: 1 };
const QUICK: Effort = { name: 'quick', rounds: 3, seconds: 1, warmUpSeconds: 1 };
const FULL: Effort = { name: 'full', rounds: 7, seconds: 3, warmUpSeconds: 2 };

const RESULTS = 'bench/results';

const HELP = `npm run bench -- [scenario ...] [--quick] [--smoke] [--list] [--out folder]

  scenario   names from --list; none: all of them
  --quick    three rounds of a second: some peers and sizes left out
  --smoke    one round, no claims: does the harness still run?
  --out      where the report goes (bench/results)
`;

/** wrk is the load of nearly every scenario: without it there is nothing to say. */
function assertUsable(machine: Machine): void {
  if (machine.tools['wrk'] !== undefined) return;
  process.stderr.write('The load comes from wrk, which is not here. Get it: apt-get install wrk\n');
  process.exit(2);
}

function chosen(names: readonly string[]): readonly Scenario[] {
  const unknown = names.find((name) => SCENARIOS.every((scenario) => scenario.name !== name));
  if (unknown !== undefined) {
    process.stderr.write(`There is no scenario ${unknown}; --list says which there are.\n`);
    process.exit(2);
  }
  return names.length === 0 ? SCENARIOS : SCENARIOS.filter(({ name }) => names.includes(name));
}

async function runAll(scenarios: readonly Scenario[], effort: Effort, machine: Machine) {
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
      finished.push({ scenario, outcome: await scenario.run({ effort, machine, dir, say }) });
    } catch (error) {
      failed.push(`${scenario.name}: ${error instanceof Error ? error.message : String(error)}`);
      say(`FAILED ${failed.at(-1)}`);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  }
  return { finished, failed };
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: 'boolean' },
      smoke: { type: 'boolean' },
      list: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
      out: { type: 'string', default: RESULTS },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  if (values.list) {
    const lines = SCENARIOS.map(({ name, question }) => `${name.padEnd(14)} ${question}`);
    return void process.stdout.write(`${lines.join('\n')}\n`);
  }
  const scenarios = chosen(positionals);
  const out = values.smoke && values.out === RESULTS ? join(tmpdir(), 'afterimage-bench-smoke') : values.out;
  const machine = describeMachine();
  assertUsable(machine);
  pinSelf(machine);
  const effort = values.smoke ? SMOKE : values.quick ? QUICK : FULL;
  const { finished, failed } = await runAll(scenarios, effort, machine);
  const command = ['npm run bench --', ...process.argv.slice(2)].join(' ');
  const run: Run = { machine, effort, command, finished, failed };
  writeReport(run, out);
  process.stdout.write(`${renderMarkdown(run)}\nWritten to ${out}\n`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}

process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));
await main();
