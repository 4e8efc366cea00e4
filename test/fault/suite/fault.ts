/**
 * The words of the fault suite. A fault says how it is made and undone and what requests may then be
 * told; load, checks and the table are the same for all (prove-fault.ts).
 */
import type { Load } from './load.ts';
import type { FaultServer } from './fault-server.ts';

export interface Fault {
  /** Of which part, and what befell it: `Redis: hung`. */
  readonly name: string;
  /** By which means: `SIGSTOP for 1.5 s`. */
  readonly how: string;
  /** Statuses that a request may get while it lasts. None: it must not be noticed. */
  readonly refusals?: readonly number[];
  /** Connections may break under requests: the server itself was hit. */
  readonly mayBreak?: boolean;
  /** What /readyz and the parts of /admin/stats must say while it lasts; throws when they don't. */
  readonly told?: (stage: Stage) => Promise<void>;
  /** Resolves when it is there, or has been there for as long as it should. */
  readonly inject: (stage: Stage) => Promise<void>;
  /** Ends it; recovery is timed from here. */
  readonly heal?: (stage: Stage) => Promise<void>;
  /** Resolves when the server says that all is well again: part of the time of recovery. */
  readonly healed?: (stage: Stage) => Promise<void>;
  /** Besides what is always looked at: throws when something is wrong afterwards. */
  readonly after?: (stage: Stage) => Promise<void>;
}

export interface Stage {
  readonly server: FaultServer;
  readonly load: Load;
}

/** A line of the printed table. */
export interface FaultRow {
  readonly fault: string;
  readonly how: string;
  readonly requests: number;
  /** Refusals by status, and broken connections. */
  readonly refused: string;
  readonly recoveredMs: number;
}
