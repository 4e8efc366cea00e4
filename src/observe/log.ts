/** The log: pino behind the few calls that parts may make. Secrets never reach it: parts log fields by name. */
import { pino, stdTimeFunctions, type Logger } from 'pino';
import pretty from 'pino-pretty';

export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'isLevelEnabled'>;

export interface LogOptions {
  readonly level: string;
  readonly format: 'auto' | 'json' | 'pretty';
  /** In every line: which of several processes it is. */
  readonly process?: number | undefined;
}

/** Writes to standard output, synchronously: what was logged before a crash is there after it. */
export function createLog(options: LogOptions): Log {
  const isPretty = options.format === 'pretty' || (options.format === 'auto' && process.stdout.isTTY);
  const base = options.process === undefined ? null : { process: options.process };
  const settings = { level: options.level, base, timestamp: stdTimeFunctions.isoTime };
  if (!isPretty) return pino(settings, pino.destination({ dest: 1, sync: true }));
  return pino(settings, pretty({ colorize: process.stdout.isTTY, singleLine: true, sync: true }));
}
