/**
 * The seam of the place that bytes come from when no tier has them. An origin knows its own protocol
 * and how long what it said may be trusted; whoever asks knows the tiers and what they still hold.
 */
import type { BodyStream, Entry } from '../core/entry.ts';

export type OriginAnswer =
  /** There is no such key there: what the tiers still have of it is gone too. */
  | { readonly kind: 'missing' }
  /**
   * What the caller holds is still good, or the best there is: keep its body under this entry (a new
   * `origin` mark). `stale`: the origin failed, and its stale-if-error window is open.
   */
  | { readonly kind: 'unchanged'; readonly entry: Entry; readonly stale: boolean }
  /** New bytes, whole and verified: for every tier. */
  | { readonly kind: 'whole'; readonly entry: Entry; readonly body: Uint8Array }
  /**
   * Too large to hold: pass it on and store nothing. The origin itself has it kept while it is read
   * (see Keep). `entry.version` names these bytes but is not their digest yet.
   */
  | { readonly kind: 'large'; readonly entry: Entry; readonly body: BodyStream };

export interface OriginStats {
  readonly name: string;
  /** Requests that went out. */
  readonly calls: number;
  /** Lookups that were answered from what is known already: fresh, missing, or by another's request. */
  readonly spared: number;
  readonly revalidated: number;
  readonly missing: number;
  readonly staleServed: number;
  readonly errors: number;
  readonly bytes: number;
}

export interface Origin {
  readonly name: string;
  /** Whether a key of this form can exist there at all. Costs nothing. */
  covers(key: string): boolean;
  /**
   * Asks for the key. `known`: what the tiers hold of it, its mark no longer fresh. AppError
   * origin_failed, origin_timeout, overloaded where nothing stale may be served.
   */
  fetch(key: string, known: Entry | undefined, signal: AbortSignal): Promise<OriginAnswer>;
  /** Set where writes go through: stores there, and gives the entry with its mark. */
  put?(entry: Entry, body: Uint8Array, signal: AbortSignal): Promise<Entry>;
  delete?(key: string, signal: AbortSignal): Promise<boolean>;
  /** Somebody else changed the key: nothing that is remembered or being kept of it counts any more. */
  forget(key: string): void;
  forgetAll(): void;
  stats(): OriginStats;
  close(): Promise<void>;
}

/**
 * How an origin has a large body kept while it is read: pieces go in once, every reader follows what
 * has been written. Undefined: no tier takes it, each reader pulls for itself.
 */
export type Keep = (draft: Entry, pieces: AsyncIterable<Uint8Array>) => GrowingBody | undefined;

export interface GrowingBody extends BodyStream {
  /** Bytes that can be read now. */
  writtenBytes(): number;
  /** The entry as it was kept (its version the digest now), undefined if it was not. Never rejects. */
  readonly kept: Promise<Entry | undefined>;
}
