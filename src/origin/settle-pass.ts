/** What a call that gave no bytes teaches the gate. */
import type { BlobFailure } from './blob-error.ts';
import type { OriginPass } from './origin-gate.ts';

export function settlePass(pass: OriginPass, failure: BlobFailure): void {
  if (failure.kind !== 'failed') pass.succeeded();
  else if (failure.denied) pass.denied(failure.error.detail);
  else if (failure.alive) pass.succeeded();
  else pass.failed(failure.retryAfterMs);
}
