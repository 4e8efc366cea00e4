/**
 * Processor time from /proc: what a subject took, and what everybody else took meanwhile. Where there is
 * no /proc the answers are undefined, and nothing is judged by them.
 */
import { readdirSync, readFileSync } from 'node:fs';

/** USER_HZ: 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

export interface ProcessorTime {
  readonly wallMs: number;
  /** Seconds of the subject's process and its children. */
  readonly subject: number;
  /** Seconds of the harness and of the load generators that it has waited for. */
  readonly harness: number;
  /** Seconds of all processes together, with what the hypervisor took; interrupts left out. */
  readonly everybody: number;
}

/** utime, stime, cutime, cstime: fields 14 to 17; the name in field 2 may hold spaces. */
function statOf(pid: number | string): { parent: number; own: number; waitedFor: number } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const [user = 0, system = 0, childUser = 0, childSystem = 0] = fields.slice(11, 15);
    return { parent: fields[1] ?? 0, own: user + system, waitedFor: childUser + childSystem };
  } catch {
    return undefined;
  }
}

function treeTicks(root: number): number {
  const stats = new Map(
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((name) => [Number(name), statOf(name)] as const),
  );
  const isBelow = (pid: number): boolean => {
    const parent = stats.get(pid)?.parent;
    return pid === root || (parent !== undefined && parent > 1 && isBelow(parent));
  };
  let ticks = 0;
  for (const [pid, stat] of stats) if (stat !== undefined && isBelow(pid)) ticks += stat.own;
  return ticks;
}

export function readProcessorTime(pids: readonly number[]): ProcessorTime | undefined {
  try {
    const [, user = 0, nice = 0, system = 0, , , , , steal = 0] = (
      readFileSync('/proc/stat', 'latin1').split('\n')[0] ?? ''
    )
      .split(/\s+/)
      .map(Number);
    const self = statOf('self');
    return {
      wallMs: performance.now(),
      subject: pids.reduce((sum, pid) => sum + treeTicks(pid), 0) / TICKS_PER_SECOND,
      harness: ((self?.own ?? 0) + (self?.waitedFor ?? 0)) / TICKS_PER_SECOND,
      everybody: (user + nice + system + steal) / TICKS_PER_SECOND,
    };
  } catch {
    return undefined;
  }
}

/** Of the time between two readings: cores that the subject, the load and others took. */
export function sharesBetween(from: ProcessorTime, to: ProcessorTime) {
  const wall = (to.wallMs - from.wallMs) / 1000;
  const subject = to.subject - from.subject;
  const load = to.harness - from.harness;
  const others = to.everybody - from.everybody - subject - load;
  return { cores: subject / wall, loadCores: load / wall, disturbed: Math.max(0, others / wall) };
}

/**
 * A sample with what it, the load and others took of the machine meanwhile, where that can be told. Without
 * process ids nothing can; with none of them (a child that the harness waits for) only what others took.
 */
export async function observed<T extends object>(
  pids: readonly number[] | undefined,
  work: () => Promise<T>,
) {
  const before = pids === undefined ? undefined : readProcessorTime(pids);
  const sample = await work();
  const after = pids === undefined ? undefined : readProcessorTime(pids);
  if (before === undefined || after === undefined) return sample;
  const shares = sharesBetween(before, after);
  // A load that opens streams first has looked at the clock itself: its own reading wins.
  return pids?.length === 0 ? { disturbed: shares.disturbed, ...sample } : { ...shares, ...sample };
}
