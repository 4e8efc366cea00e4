/** One run as JSON (every sample), Markdown (what to read) and SVG (one plot a scenario). */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DISTURBED } from '../interleave.ts';
import type { Machine } from '../machine.ts';
import type { Effort, Outcome, Scenario } from '../scenario.ts';
import { rowTable, verdictTable } from './format.ts';
import { plot } from './plot.ts';
import { isQuiet, judge, type Verdict } from './statistics.ts';

export interface Finished {
  readonly scenario: Scenario;
  readonly outcome: Outcome;
}

export interface Run {
  readonly machine: Machine;
  readonly effort: Effort;
  /** Who made the load, and what to know of it. */
  readonly load: string;
  readonly command: string;
  readonly tookS: number;
  readonly finished: readonly Finished[];
  readonly failed: readonly string[];
  /** Scenarios that a run so short has no time for. */
  readonly leftOut: readonly string[];
}

function disturbedSamples({ finished }: Run): string {
  const samples = finished.flatMap(({ outcome }) =>
    outcome.rows.flatMap((row) => row.series.flatMap((series) => series.samples)),
  );
  return `${samples.filter((sample) => !isQuiet(sample)).length} of ${samples.length}`;
}

function quickLine(leftOut: readonly string[]): string {
  const scenarios = leftOut.length === 0 ? '' : `the scenarios ${leftOut.join(', ')}, and `;
  return `- a quick run: left out are ${scenarios}some peers, sizes and rows of the others; without --quick all are there`;
}

function machineLines(run: Run): string[] {
  const { machine, effort, command, tookS, load, leftOut } = run;
  const tools = Object.values(machine.tools).join('; ');
  const cores =
    machine.serverCore === undefined
      ? 'processes are not pinned (no taskset, or one core)'
      : `every server alone on core ${machine.serverCore}, load on core ${machine.loadCore}`;
  return [
    `- command: \`${command}\`; commit ${machine.commit}; ${machine.startedAt}, ${tookS} s`,
    `- machine: ${machine.processor}, ${machine.cores} cores, ${machine.memoryGib} GiB, Linux ${machine.kernel}`,
    `- ${cores}; load average before the run ${machine.loadBefore.toFixed(2)}`,
    `- Node ${machine.node}; ${tools}`,
    `- load from ${load}`,
    `- ${effort.rounds} interleaved rounds of ${effort.seconds} s after ${effort.warmUpSeconds} s of warm-up; ` +
      'ratios are medians of the ratios within a round',
    '- a core-second: the figure for each second of processor time that the server took. Where the load took 0.95 ' +
      "cores or more of its own, the rate is the load's limit, which holds the faster server back: a figure that the " +
      'rate does not meet is then judged by core-second',
    `- others took over ${DISTURBED} cores during ${disturbedSamples(run)} samples: those rounds are left out ` +
      'where a subject has quiet ones',
    ...(effort.name === 'quick' ? [quickLine(leftOut)] : []),
  ];
}

function scenarioLines({ scenario, outcome }: Finished): string[] {
  return [
    `## ${scenario.name}: ${scenario.question}`,
    '',
    rowTable(outcome.rows),
    '',
    `![${scenario.question}](${scenario.name}.svg)`,
    '',
    ...outcome.notes.map((note) => `- ${note}`),
    ...outcome.missing.map((missing) => `- missing here: ${missing}`),
    '',
  ];
}

function verdictsOf({ finished }: Run): Verdict[] {
  return finished.flatMap(({ outcome }) => outcome.targets.map((target) => judge(target, outcome.rows)));
}

export function renderMarkdown(run: Run): string {
  return [
    '# Benchmark run',
    '',
    ...machineLines(run),
    '',
    '## Figures',
    '',
    verdictTable(verdictsOf(run)),
    '',
    ...run.failed.map((line) => `- did not finish: ${line}`),
    '',
    ...run.finished.flatMap(scenarioLines),
  ].join('\n');
}

export function writeReport(run: Run, dir: string): void {
  mkdirSync(dir, { recursive: true });
  for (const { scenario, outcome } of run.finished) {
    writeFileSync(join(dir, `${scenario.name}.svg`), plot(scenario.question, outcome));
  }
  const finished = run.finished.map(({ scenario, outcome }) => ({ scenario: scenario.name, ...outcome }));
  const report = { ...run, figures: verdictsOf(run), finished };
  writeFileSync(join(dir, 'run.json'), `${JSON.stringify(report, undefined, 1)}\n`);
  writeFileSync(join(dir, 'run.md'), renderMarkdown(run));
}
