/** Whether a process that ended is started again, and after how long. Pure: time is handed in. */

export interface RestartOptions {
  /** Before the first start again; doubles with each that follows. */
  readonly delayMs: number;
  readonly delayMsMax: number;
  /** Who lived this long starts afresh. */
  readonly steadyMs: number;
  /** Ends in a row after which one more start would change nothing. */
  readonly endsMax: number;
}

export interface RestartPolicy {
  /** Milliseconds to wait; undefined: give up. */
  ended(process: number, livedMs: number): number | undefined;
}

export function createRestartPolicy(options: RestartOptions): RestartPolicy {
  const endsInARow = new Map<number, number>();
  return {
    ended(process, livedMs) {
      const before = livedMs >= options.steadyMs ? 0 : (endsInARow.get(process) ?? 0);
      endsInARow.set(process, before + 1);
      if (before + 1 >= options.endsMax) return undefined;
      return Math.min(options.delayMs * 2 ** before, options.delayMsMax);
    },
  };
}
