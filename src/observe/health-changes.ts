/**
 * What became of the parts that may fail: the state of each now, and the last changes, newest first.
 * It knows no part; they are noted by whoever builds them, where the log line is written too.
 */
import type { Clock } from '../core/clock.ts';

export type PartState =
  | 'closed'
  | 'open'
  | 'half-open'
  | 'primary'
  | 'fallback'
  | 'full'
  | 'armed'
  | 'lost'
  | 'shared'
  | 'local'
  | 'granted'
  | 'denied'
  | 'working'
  | 'failing';

export interface HealthReport {
  readonly parts: readonly {
    readonly part: string;
    readonly state: PartState;
    /** It does what it is there for. */
    readonly up: boolean;
    readonly since: string;
  }[];
  readonly changes: readonly HealthChange[];
}

interface HealthChange {
  readonly at: string;
  /** Which of several it happened to. */
  readonly process?: number;
  readonly part: string;
  readonly state: PartState;
  readonly reason: string;
}

export interface HealthChanges {
  /** A part is known from its first note on. */
  note(part: string, state: PartState, reason?: string): void;
  list(): HealthReport;
}

interface Part {
  state: PartState;
  /** The last state that was a change. */
  settled: PartState;
  since: string;
}

export const CHANGES_MAX = 50;
const REASON_CHARS_MAX = 200;
const UP: ReadonlySet<PartState> = new Set(['closed', 'primary', 'armed', 'shared', 'granted', 'working']);

export function createHealthChanges(clock: Clock): HealthChanges {
  const parts = new Map<string, Part>();
  let changes: readonly HealthChange[] = [];

  function note(part: string, state: PartState, reason = ''): void {
    const known = parts.get(part);
    if (known !== undefined) known.state = state;
    // A breaker probes every few seconds for as long as an outage lasts: the list would tell of nothing else.
    if (state === 'half-open' || known?.settled === state) return;
    const at = new Date(clock.nowMs()).toISOString();
    parts.set(part, { state, settled: state, since: at });
    const change = { at, part, state, reason: reason.slice(0, REASON_CHARS_MAX) };
    changes = [change, ...changes.slice(0, CHANGES_MAX - 1)];
  }

  function list(): HealthReport {
    const rows = [...parts].map(([part, { state, since }]) => ({ part, state, up: UP.has(state), since }));
    return { parts: rows, changes };
  }

  return { note, list };
}
