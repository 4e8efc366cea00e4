/** One run as JSON (every sample), Markdown (what to read) and SVG (one plot a scenario). */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DISTURBED } from '../interleave.ts';
import type { Machine } from '../machine.ts';
import type { Effort, Outcome, Scenario } from '../scenario.ts';
import { rowTable, verdictTable } from './format.ts';
import { plot } from './plot.ts';
import { isQuiet, judge } from './statistics.ts';

export interface Finished {
  readonly scenario: Scenario;
  readonly outcome: Outcome;
}

export interface Run {
  readonly machine: Machine;
  readonly effort: Effort;
  readonly command: string;
  readonly finished: readonly Finished[];
  readonly failed: readonly string[];
}

function disturbedSamples({ finished }: Run): string {
  const samples = finished.flatMap(({ outcome }) =>
    outcome.rows.flatMap((row) => row.series.flatMap((series) => series.samples)),
  );
  return `${samples.filter((sample) => !isQuiet(sample)).length} of ${samples.length}`;
}

function machineLines(run: Run): string[] {
  const { machine, effort, command } = run;
  const tools = Object.values(machine.tools).join('; ');
  const cores =
    machine.serverCore === undefined
      ? 'processes are not pinned (no taskset, or one core)'
      : `every server alone on core ${machine.serverCore}, load on core ${machine.loadCore}`;
  return [
    `- command: \`${command}\`; commit ${machine.commit}; ${machine.startedAt}`,
    `- machine: ${machine.processor}, ${machine.cores} cores, ${machine.memoryGib} GiB, Linux ${machine.kernel}`,
    `- ${cores}; load average before the run ${machine.loadBefore.toFixed(2)}`,
    `- Node ${machine.node}; ${tools}`,
    `- ${effort.rounds} interleaved rounds of ${effort.seconds} s after ${effort.warmUpSeconds} s of warm-up; ` +
      'ratios are medians of the ratios within a round',
    '- a core-second: the figure for each second of processor time that the subject took; near one core of load, the load is what limits. ' +
      `Others took over ${DISTURBED} cores during ${disturbedSamples(run)} samples: those rounds are left out ` +
      'where a subject has quiet ones',
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

export function renderMarkdown(run: Run): string {
  const verdicts = run.finished.flatMap(({ outcome }) =>
    outcome.targets.map((target) => judge(target, outcome.rows)),
  );
  return [
    '# Benchmark run',
    '',
    ...machineLines(run),
    '',
    '## Figures',
    '',
    verdictTable(verdicts),
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
  writeFileSync(join(dir, 'run.json'), `${JSON.stringify({ ...run, finished }, undefined, 1)}\n`);
  writeFileSync(join(dir, 'run.md'), renderMarkdown(run));
}
