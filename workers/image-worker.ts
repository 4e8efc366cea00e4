/**
 * The entry of a worker thread: one job in, one result out, its buffer transferred back. A refusal
 * is a result like any other, so whatever Piscina rejects with is a thread that ended.
 */
import { toAppError } from '../src/errors.ts';
import type { Job, JobResult } from '../src/pool/job.ts';
import { moveResult } from '../src/pool/move-result.ts';
import { ingest, unwrap } from './decode.ts';
import { fit } from './fit.ts';
import { releaseBuffer } from './release-buffer.ts';
import { render } from './render.ts';

async function perform(job: Job): Promise<JobResult> {
  switch (job.kind) {
    case 'ingest':
      return ingest(job);
    case 'unwrap':
      return unwrap(job);
    case 'render':
      return render(job);
    case 'fit':
      return fit(job);
  }
}

function refusal(thrown: unknown): JobResult {
  const { code, detail, cause } = toAppError(thrown);
  if (cause === undefined) return { kind: 'refused', code, detail };
  return {
    kind: 'refused',
    code,
    detail,
    reason: cause instanceof Error ? String(cause.stack) : String(cause),
  };
}

/** Called by worker-entry.cts. Resolves to a JobResult whose buffer is moved, not copied. */
export async function runJob(job: Job): Promise<unknown> {
  const input = 'body' in job ? job.body.buffer : job.source;
  const result = await perform(job).catch(refusal);
  const isOurs = input instanceof ArrayBuffer;
  if (isOurs && (result.kind === 'refused' || result.bytes.buffer !== input)) releaseBuffer(input);
  return result.kind === 'refused' ? result : moveResult(result);
}
