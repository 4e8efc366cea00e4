/**
 * The image pool: jobs from arguments, results or errors from what workers answer, and the counters.
 * Order and fairness are the schedule's, threads and deadlines the runner's.
 */
import { AppError } from '../errors.ts';
import type { ImagePool } from './image-pool.ts';
import { createJobRunner, type JobRunnerOptions } from './job-runner.ts';
import type {
  DecodeLimits,
  FitJob,
  IngestJob,
  JobRefusal,
  JobResult,
  RenderJob,
  RenderResult,
  UnwrapJob,
} from './job.ts';
import { createSchedule, type Prepared, type Schedule } from './schedule.ts';
import { createSourceCopies, type SourceCopy } from './source-copies.ts';

export interface ImagePoolOptions extends JobRunnerOptions {
  /** Jobs that may wait for a thread: this many uploads, and this many renders. */
  readonly queueLimit: number;
  readonly limits: DecodeLimits;
  readonly webpEffort: number;
  /** Sides that an inline rendering may have. */
  readonly sizes: readonly number[];
}

type Done = Exclude<JobResult, JobRefusal>;

/** A stop waits this long for running jobs, then ends their threads. */
const CLOSE_WAIT_MS_MAX = 5000;

export function createImagePool(options: ImagePoolOptions): ImagePool {
  const { threads, queueLimit, limits, webpEffort, timeoutMs } = options;
  const runner = createJobRunner(options);
  const schedule = createSchedule(runner, threads, queueLimit);
  const sizes = options.sizes.toSorted((a, b) => b - a);
  const bounds = { limits, timeoutS: Math.ceil(timeoutMs / 1000) };
  const copies = createSourceCopies(threads);
  const counts = { completed: 0, refused: 0, shed: 0, renders: 0 };

  async function settle(work: Promise<JobResult>): Promise<Done> {
    try {
      const result = await work;
      if (result.kind === 'refused') {
        counts.refused += 1;
        throw new AppError(result.code, result.detail, result.reason);
      }
      counts.completed += 1;
      return result;
    } catch (error) {
      if (error instanceof AppError && error.code === 'overloaded') counts.shed += 1;
      throw error;
    }
  }

  return {
    async ingest(body, form, signal) {
      const result = await settle(upload(schedule, { kind: 'ingest', form, body, ...bounds }, signal));
      if (result.kind !== 'ingest') throw new AppError('internal');
      return result;
    },
    async unwrap(body, form, signal) {
      const result = await settle(upload(schedule, { kind: 'unwrap', form, body, limits }, signal));
      if (result.kind !== 'unwrap') throw new AppError('internal');
      return result;
    },
    async render(source, variant, signal) {
      const work = schedule.render(() => {
        counts.renders += 1;
        return ofSource(copies.copy(source), { kind: 'render', variant, webpEffort, ...bounds });
      }, signal);
      return asRender(await settle(work));
    },
    async fit(source, bytesMax, signal) {
      const work = schedule.render(
        () => ofSource(copies.copy(source), { kind: 'fit', bytesMax, sizes, ...bounds }),
        signal,
      );
      const result = asRender(await settle(work));
      return result.bytes.byteLength === 0 ? undefined : result;
    },
    stats: () => ({
      threads,
      running: schedule.running(),
      queued: schedule.waiting(),
      queueLimit,
      ...counts,
      timeouts: runner.timeouts(),
      crashes: runner.crashes(),
    }),
    async close() {
      await schedule.close(Math.min(timeoutMs, CLOSE_WAIT_MS_MAX));
      await runner.close();
    },
  };
}

/** The body is the thread's for good. */
async function upload(
  schedule: Schedule,
  job: IngestJob | UnwrapJob,
  signal: AbortSignal,
): Promise<JobResult> {
  return schedule.upload(() => ({ job, given: [job.body.buffer] }), signal);
}

type WithoutSource<J extends RenderJob | FitJob> = Omit<J, 'source' | 'sourceBytes'>;

/** The cache keeps the source, so the worker gets a copy. */
function ofSource(
  { source, sourceBytes, given, giveBack }: SourceCopy,
  rest: WithoutSource<RenderJob> | WithoutSource<FitJob>,
): Prepared {
  return { job: { ...rest, source, sourceBytes }, given, answered: giveBack };
}

function asRender(result: Done): RenderResult {
  if (result.kind !== 'render') throw new AppError('internal');
  return result;
}
