/**
 * A B A B: every process is warmed up, then measured once a round, so that what else the machine does
 * meets all of them alike. Each round turns the order by one, so that nobody always follows the same peer.
 * A sample during which others took too much of the machine is taken again, whatever it said.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { observed } from './processor-time.ts';
import type { Bench, Row, Sample } from './scenario.ts';

export interface Subject {
  readonly name: string;
  /** Whose processor time is the subject's: empty where the harness waits for it, absent where it can't be told. */
  readonly pids?: readonly number[];
  measure(seconds: number): Promise<Sample>;
}

export interface RowKind {
  readonly label: string;
  readonly unit: string;
  readonly better: 'more' | 'less';
}

/** Cores that others may take during a sample. */
export const DISTURBED = 0.12;
const RETRIES = { smoke: 0, quick: 1, full: 3 } as const;
/** For all samples of a run together: on a machine that is never quiet, a run must still end. */
const RETRIES_IN_ALL = { smoke: 0, quick: 8, full: 60 } as const;
const QUIET_WAIT_MS = 1000;

let retried = 0;
/** Processes that have answered a load before: their code is compiled, and medians bear a cold first sample. */
const warm = new Set<string>();

async function measureOnce(subject: Subject, seconds: number): Promise<Sample> {
  return observed(subject.pids, async () => subject.measure(seconds));
}

/** The least disturbed of a few tries: chosen by what others did, never by the result. */
async function measureQuietly(subject: Subject, { effort, say }: Bench): Promise<Sample> {
  let best = await measureOnce(subject, effort.seconds);
  const { [effort.name]: retries } = RETRIES;
  for (let retry = 0; retry < retries && (best.disturbed ?? 0) > DISTURBED; retry += 1) {
    if (retried >= RETRIES_IN_ALL[effort.name]) break;
    retried += 1;
    say(`others took ${(best.disturbed ?? 0).toFixed(2)} cores meanwhile: again, ${subject.name}`);
    await sleep(QUIET_WAIT_MS);
    const again = await measureOnce(subject, effort.seconds);
    if ((again.disturbed ?? 0) < (best.disturbed ?? 0)) best = again;
  }
  return best;
}

async function warmUp(kind: RowKind, subject: Subject, { effort, say }: Bench): Promise<void> {
  const process = (subject.pids ?? []).join(' ');
  if (effort.name === 'smoke' || (process !== '' && warm.has(process))) return;
  warm.add(process);
  say(`${kind.label}: warming up ${subject.name}`);
  await subject.measure(effort.warmUpSeconds);
}

export async function interleave(kind: RowKind, subjects: readonly Subject[], bench: Bench): Promise<Row> {
  const { rounds } = bench.effort;
  const series = subjects.map((subject) => ({ subject: subject.name, samples: [] as Sample[] }));
  for (const subject of subjects) await warmUp(kind, subject, bench);
  for (let round = 0; round < rounds; round += 1) {
    for (let turn = 0; turn < subjects.length; turn += 1) {
      const at = (turn + round) % subjects.length;
      const [subject, kept] = [subjects[at], series[at]];
      if (subject === undefined || kept === undefined) continue;
      bench.say(`${kind.label}: round ${round + 1} of ${rounds}, ${subject.name}`);
      kept.samples.push(await measureQuietly(subject, bench));
    }
  }
  return { ...kind, series };
}
