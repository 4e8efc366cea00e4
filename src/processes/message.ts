/**
 * What the parent and the processes say to each other. Both ends are this program at one version, so
 * nothing is checked: the types are the contract.
 */

/** What the counts of all processes come from. */
export interface Gathered<R> {
  /** One of each process that ever answered, and one for those that are gone. */
  readonly readings: readonly R[];
  readonly processes: ProcessesReport;
}

export interface ProcessesReport {
  readonly count: number;
  /** Numbers of those that gave no new reading: what they last said stands for them. */
  readonly silent: readonly number[];
  /** How often one was silent. */
  readonly silences: number;
  readonly restarts: number;
}

/** What was done at one process, and holds for the memory of each. */
export type Note =
  | { readonly kind: 'warm'; readonly ids: readonly string[] }
  /** Without an id: everything. */
  | { readonly kind: 'cleared'; readonly id?: string };

export type FromChild<R> =
  | { readonly type: 'listening'; readonly url: string }
  | { readonly type: 'pong' }
  | { readonly type: 'gather'; readonly id: number }
  | { readonly type: 'reading'; readonly id: number; readonly reading: R }
  | { readonly type: 'tell'; readonly note: Note };

export type FromParent<R> =
  | { readonly type: 'stop' }
  | { readonly type: 'ping' }
  | { readonly type: 'read'; readonly id: number }
  | { readonly type: 'gathered'; readonly id: number; readonly gathered: Gathered<R> }
  | { readonly type: 'told'; readonly note: Note };

/** A process as the parent has it. */
export interface Child<R> {
  readonly pid: number;
  /** Nothing happens where it is gone. */
  send(message: FromParent<R>): void;
  onMessage(listener: (message: FromChild<R>) => void): void;
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<Ending>;
}

export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The parent as a process has it. */
export interface Parent<R> {
  send(message: FromChild<R>): void;
  onMessage(listener: (message: FromParent<R>) => void): void;
  onGone(listener: () => void): void;
}
