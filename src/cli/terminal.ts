/** What a command may know of the outside: its words, its environment, two outputs, and when to stop. */

export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborts on the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
  /** Results, a line each. */
  out(line: string): void;
  /** What went wrong and what is going on, a line each. */
  err(line: string): void;
}

/** A mistake of whoever typed the command: one line, the way to the help, exit code 2. */
export class UsageError extends Error {}

/** Gives its exit code. */
export type Command = (args: readonly string[], terminal: Terminal) => Promise<number>;
