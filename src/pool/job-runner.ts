/**
 * The one owner of Piscina: runs a job on a free thread under a deadline. A thread that overruns it or
 * dies is replaced and its job fails alone. Piscina's own queue is not used: with abortable tasks its
 * limit does not hold (5.3 puts them on a second, unbounded list), so callers come one per thread.
 */
import { Piscina } from 'piscina';
import { AppError } from '../errors.ts';
import type { Job, JobResult } from './job.ts';

export interface JobRunnerOptions {
  readonly threads: number;
  readonly timeoutMs: number;
  /** How far a thread gives way to the loop, as nice(1) counts: 0 to 19. */
  readonly nice: number;
  /** The built worker: exports `runJob(job)`. */
  readonly workerUrl: URL;
  /** Heap of one thread; buffers are not counted in it. */
  readonly heapMb?: number;
}

export interface JobRunner {
  /** Buffers that are given away travel; what is lent is seen by both. */
  run(job: Job, given: readonly ArrayBuffer[]): Promise<JobResult>;
  timeouts(): number;
  crashes(): number;
  /** Ends every thread; jobs that still run fail with shutting_down. */
  close(): Promise<void>;
}

export function createJobRunner(options: JobRunnerOptions): JobRunner {
  const { threads, timeoutMs, nice, workerUrl, heapMb } = options;
  let timeouts = 0;
  let crashes = 0;
  let closed = false;
  const piscina = new Piscina({
    filename: workerUrl.href,
    name: 'runJob',
    minThreads: threads,
    maxThreads: threads,
    // Room for the jobs of threads that are being replaced.
    maxQueue: threads,
    recordTiming: false,
    // Read by workers/worker-entry.cts.
    workerData: nice,
    ...(heapMb === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: heapMb } }),
  });
  // A thread that died while idle: nobody's job failed, and Piscina starts the next one.
  piscina.on('error', () => {
    crashes += 1;
  });

  function failure(error: unknown, overran: boolean): AppError {
    if (closed) return new AppError('shutting_down');
    if (overran) {
      timeouts += 1;
      return new AppError('worker_timeout');
    }
    crashes += 1;
    return new AppError('worker_crashed', undefined, error);
  }

  return {
    async run(job, given) {
      const deadline = new AbortController();
      const timer = setTimeout(() => deadline.abort(), timeoutMs);
      try {
        // runJob returns a JobResult and nothing else; structured clone keeps its shape.
        return (await piscina.run(job, { transferList: [...given], signal: deadline.signal })) as JobResult;
      } catch (error) {
        throw failure(error, deadline.signal.aborted);
      } finally {
        clearTimeout(timer);
      }
    },
    timeouts: () => timeouts,
    crashes: () => crashes,
    async close() {
      closed = true;
      await piscina.destroy();
    },
  };
}
