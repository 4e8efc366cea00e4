/** How a worker hands a result back without copying its bytes. The worker's only sight of Piscina. */
import { move, transferableSymbol, valueSymbol } from 'piscina';
import type { IngestResult, RenderResult } from './job.ts';

export function moveResult(result: IngestResult | RenderResult): unknown {
  return move({ [transferableSymbol]: [result.bytes.buffer], [valueSymbol]: result });
}
