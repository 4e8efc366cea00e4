/** How a worker hands a result back without copying its bytes. The worker's only sight of Piscina. */
import { move, transferableSymbol, valueSymbol } from 'piscina';
import type { JobRefusal, JobResult } from './job.ts';

export function moveResult(result: Exclude<JobResult, JobRefusal>): unknown {
  return move({ [transferableSymbol]: [result.bytes.buffer], [valueSymbol]: result });
}
