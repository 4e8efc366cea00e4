/**
 * Who may have a thread, and when. Renders pass a gate of their own that leaves a thread to uploads (of a
 * single one, the turn after the render that runs), and each kind has its own bounded line. A caller who
 * leaves while waiting is never started; one who leaves later loses the result but not the thread, else
 * anyone could make us restart threads by hanging up.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { createGate } from './gate.ts';
import type { JobRunner } from './job-runner.ts';
import type { Job, JobResult } from './job.ts';
import { untilAborted } from './until-aborted.ts';

export interface Prepared {
  readonly job: Job;
  /** Its buffers that the thread gets for good. */
  readonly given: readonly ArrayBuffer[];
  /** Called when the thread has answered, and never where it did not: it may be at work all the same. */
  answered?(): void;
}

/** Called when the job's turn has come: a render that waits holds no copy of its source. */
export type Prepare = () => Prepared;

export interface Schedule {
  upload(prepare: Prepare, signal: AbortSignal): Promise<JobResult>;
  render(prepare: Prepare, signal: AbortSignal): Promise<JobResult>;
  running(): number;
  waiting(): number;
  /** Turns away who waits and who comes; resolves when what runs has ended, or after `waitMsMax`. */
  close(waitMsMax: number): Promise<void>;
}

export function createSchedule(runner: JobRunner, threads: number, queueLimit: number): Schedule {
  const renderSlots = Math.max(1, threads - 1);
  const renderGate = createGate(renderSlots, queueLimit);
  // Renders past their own gate come on top, so none of them is turned away at this one.
  const threadGate = createGate(threads, queueLimit + renderSlots);
  const running = new Set<Promise<JobResult>>();

  async function onThread(prepare: Prepare, signal: AbortSignal): Promise<JobResult> {
    const leave = await threadGate.acquire(signal);
    try {
      const prepared = prepare();
      const result = await runner.run(prepared.job, prepared.given);
      prepared.answered?.();
      return result;
    } finally {
      leave();
    }
  }

  async function pastRenderGate(prepare: Prepare, signal: AbortSignal): Promise<JobResult> {
    const leave = await renderGate.acquire(signal);
    try {
      return await onThread(prepare, signal);
    } finally {
      leave();
    }
  }

  function followed(work: Promise<JobResult>, signal: AbortSignal): Promise<JobResult> {
    running.add(work);
    const forget = () => running.delete(work);
    work.then(forget, forget);
    return untilAborted(work, signal);
  }

  return {
    upload: (prepare, signal) => followed(onThread(prepare, signal), signal),
    render: (prepare, signal) => followed(pastRenderGate(prepare, signal), signal),
    running: () => threadGate.running(),
    waiting: () => threadGate.waiting() + renderGate.waiting(),
    async close(waitMsMax) {
      renderGate.close('shutting_down');
      threadGate.close('shutting_down');
      const patience = new AbortController();
      const bound = sleep(waitMsMax, undefined, { signal: patience.signal });
      await Promise.race([Promise.allSettled(running), bound.catch(() => undefined)]);
      patience.abort();
    },
  };
}
