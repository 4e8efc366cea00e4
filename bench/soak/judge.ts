/** What a soak comes to: the reasons why it failed, none when it did not, and its summary in words. Pure. */
import type { Outcome } from './soak.ts';

export const SLOPE_MIB_MAX = 1;
/** In less than this, memory says more of what happened last than of where it goes. */
const SLOPE_MINUTES_MIN = 8;

/** Where every budget is pushed at once memory goes up and down with the crowd: there its ceiling is judged alone. */
function isSlopeJudged({ plan }: Outcome): boolean {
  return plan.squeeze === undefined && plan.minutes >= SLOPE_MINUTES_MIN;
}

export function failuresOf(outcome: Outcome): string[] {
  const { wrongs, slope, peakMib, ceiling, kills, leaks, samples } = outcome;
  const failures: string[] = [];
  if (wrongs > 0) failures.push(`${wrongs} wrong answers`);
  if (isSlopeJudged(outcome) && slope > SLOPE_MIB_MAX)
    failures.push(`memory grew by ${slope.toFixed(2)} MiB a minute`);
  if (peakMib > ceiling.mib)
    failures.push(`resident memory came to ${peakMib.toFixed(0)} MiB, above the ceiling of ${ceiling.mib}`);
  if (kills > 0) failures.push('the kernel ended it at its ceiling');
  if (samples.length < 2) failures.push('it could not be looked at');
  return [...failures, ...leaks.map((leak) => `not given back: ${leak}`)];
}

function table(rows: Outcome['rows']): string[] {
  const kinds = new Map<string, string[]>();
  for (const [kind, outcome, count] of rows)
    kinds.set(kind, [...(kinds.get(kind) ?? []), `${outcome}: ${count}`]);
  return [...kinds].map(([kind, outcomes]) => `  ${kind.padEnd(22)} ${outcomes.join(', ')}`);
}

export function summaryOf(outcome: Outcome): string {
  const { plan, ceiling, slope, peakMib, samples } = outcome;
  const warm = samples.filter(({ atMs }) => atMs >= outcome.warmMs);
  const failures = failuresOf(outcome);
  const slopeWords = isSlopeJudged(outcome)
    ? `judged, at most ${SLOPE_MIB_MAX}`
    : 'not judged: too short, or every budget is pushed';
  return [
    `== ${plan.name}: ${plan.minutes} minutes, seed ${plan.seed}, ${plan.redis ? 'Redis' : 'disk'}, ${outcome.allocator} allocator`,
    `requests ${outcome.requests}, events heard ${outcome.eventsHeard}`,
    ...table(outcome.rows),
    'faults',
    ...Object.entries(outcome.faults).map(([name, count]) => `  ${name.padEnd(40)} ${count}`),
    `wrong answers ${outcome.wrongs}`,
    ...outcome.words.map((word) => `  ${word}`),
    'ceiling by the formula of docs/operations.md, MiB',
    ...ceiling.rows.map(([part, mib]) => `  ${part.padEnd(40)} ${mib.toFixed(1)}`),
    `  ${'together'.padEnd(40)} ${ceiling.mib}`,
    `resident memory: peak ${peakMib.toFixed(0)} MiB, ` +
      (outcome.isCaged
        ? 'in a cgroup with the ceiling as its limit'
        : 'measured only: no cgroup could be made here'),
    `memory slope after warm-up: ${slope.toFixed(2)} MiB a minute over ${warm.length} looks (${slopeWords})`,
    failures.length === 0 ? 'PASSED' : `FAILED: ${failures.join('; ')}`,
    '',
  ].join('\n');
}
