/** Says once that something fails, and once that it works again; counts every failure. */
import { AppError } from '../errors.ts';
import type { Log } from '../observe/log.ts';

export interface HealthNote {
  /** Runs the work and notes how it went. Its failure becomes AppError storage_unavailable. */
  watch<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T>;
  failed(error: unknown): void;
  failures(): number;
}

export function createHealthNote(
  name: string,
  verb: 'read' | 'written',
  log: Pick<Log, 'info' | 'warn'>,
  /** Once per change; '' : it works. */
  onChange: (reason: string) => void = () => undefined,
): HealthNote {
  let isFailing = false;
  let failures = 0;

  function failed(error: unknown): void {
    failures += 1;
    if (isFailing) return;
    isFailing = true;
    const reason = error instanceof Error ? error.message : String(error);
    log.warn({ tier: name, reason }, `The ${name} tier cannot be ${verb}: going on without it`);
    onChange(reason);
  }

  function worked(): void {
    if (!isFailing) return;
    isFailing = false;
    log.info({ tier: name, failures }, `The ${name} tier can be ${verb} again`);
    onChange('');
  }

  async function watch<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    try {
      const result = await work();
      worked();
      return result;
    } catch (error) {
      // Given up by the caller: says nothing about the tier.
      if (signal.aborted) throw error;
      failed(error);
      throw new AppError('storage_unavailable', undefined, error);
    }
  }

  return { watch, failed, failures: () => failures };
}
