/**
 * What the flows may ask of the workers. The implementation (pool.ts) owns Piscina, the queue, the
 * gates and the deadlines; nothing here knows what a thread is.
 */
import type { Variant } from '../core/variant.ts';
import type { BodyForm, IngestResult, RenderResult, UnwrapResult } from './job.ts';

export interface PoolStats {
  readonly threads: number;
  readonly running: number;
  readonly queued: number;
  readonly queueLimit: number;
  readonly completed: number;
  readonly refused: number;
  readonly shed: number;
  readonly timeouts: number;
  readonly crashes: number;
  readonly renders: number;
}

export interface ImagePool {
  /** Takes ownership of `body` and its buffer: they are transferred when its turn comes. Touch them no more. */
  ingest(body: Uint8Array<ArrayBuffer>, form: BodyForm, signal: AbortSignal): Promise<IngestResult>;
  /** As `ingest`, but only out of its form: nothing is known of the pixels, not even whether they decode. */
  unwrap(body: Uint8Array<ArrayBuffer>, form: BodyForm, signal: AbortSignal): Promise<UnwrapResult>;
  /** Leaves `source` as it is. */
  render(source: Uint8Array, variant: Variant, signal: AbortSignal): Promise<RenderResult>;
  /** The largest WebP of at most `bytesMax`; undefined when even the smallest size is larger. */
  fit(source: Uint8Array, bytesMax: number, signal: AbortSignal): Promise<RenderResult | undefined>;
  stats(): PoolStats;
  close(): Promise<void>;
}
