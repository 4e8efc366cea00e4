/** The figures of the committed run, as README shows them: made from run.json, so that neither can lie. */
import { z } from 'zod';
import type { Outcome } from '../scenario.ts';
import { figuresTable } from './format.ts';
import { judge } from './statistics.ts';

const RUN = z.object({
  command: z.string(),
  machine: z.looseObject({ processor: z.string(), cores: z.number(), startedAt: z.string() }),
  // Written by write-report.ts at the same commit as this is read: an Outcome with its scenario's name.
  finished: z.array(z.custom<Outcome>()),
});

export function readmeFigures(runJson: string): string {
  const { command, machine, finished } = RUN.parse(JSON.parse(runJson));
  const verdicts = finished.flatMap(({ targets, rows }) => targets.map((target) => judge(target, rows)));
  const day = machine.startedAt.slice(0, 10);
  return [
    figuresTable(verdicts),
    '',
    `\`${command}\` on ${machine.cores} cores of an ${machine.processor}, ${day}; × is against the peer named, in the same run, one`,
    'core each. [All of it](bench/results/run.md), and [how it was measured](docs/bench.md).',
  ].join('\n');
}
