/**
 * What asking the cache gives: the found entry, and the part that each tier had in it (RFC 9211 wants
 * one member a tier). Types only; the order of the tiers is tiered-cache's secret.
 */
import type { Entry, Stored } from '../core/entry.ts';

/**
 * An entry in the memory tier. One object per entry for as long as it stays there, so the transport
 * keeps its rendered headers on it instead of in a map of its own.
 */
export interface Hot {
  readonly entry: Entry;
  readonly body: Uint8Array;
  /** Owned by src/http: starts undefined; the cache neither reads nor fills it. */
  heads: HeadBlocks | undefined;
}

/** Header blocks of an entry, rendered for one second of its remaining TTL. */
export interface HeadBlocks {
  readonly second: number;
  /** With its quotes. */
  readonly etag: string;
  /** As bytes: a text would be measured and copied for every hit. */
  readonly blocks: (ArrayBuffer | undefined)[];
}

export interface TierStep {
  readonly tier: string;
  /** error: the tier failed or its breaker was open; asked all the same, it counts as a miss. */
  readonly outcome: 'hit' | 'stale' | 'miss' | 'error';
  /** The tier keeps the answer now. */
  readonly stored?: boolean;
  /** Waited for another request's lookup of the same key. */
  readonly collapsed?: boolean;
}

export interface Found extends Stored {
  /** In the order asked: memory first. */
  readonly steps: readonly TierStep[];
}

/**
 * What must keep it: any tier; or one that memory's evictions do not reach, where there is one (a tier
 * behind memory, an origin that is written through).
 */
export type KeepWhere = 'anywhere' | 'behind-memory';

export interface Cache {
  /** Memory only, synchronous, allocates nothing: the hit path. Counts a hit or nothing. */
  peek(key: string): Hot | undefined;
  /**
   * Memory, then the tiers in their order; one lookup per key at a time; fills the faster tiers. `admit` is
   * called where memory does not do, before anything else is asked, and may throw. AppError
   * storage_unavailable when nobody has it of those who answered, and one did not.
   */
  find(key: string, signal: AbortSignal, admit?: () => void): Promise<Found | undefined>;
  /** Whether some tier has the key at hand without a round trip. */
  has(key: string): boolean;
  /**
   * Into every tier. `replaced`: the key was known. AppError storage_unavailable when none kept it that
   * will do; what was there before stays then.
   */
  put(
    entry: Entry,
    body: Uint8Array,
    signal: AbortSignal,
    where?: KeepWhere,
  ): Promise<{ readonly replaced: boolean }>;
  /** From every tier, with everything rendered from it. AppError storage_unavailable when one could not. */
  delete(key: string, signal: AbortSignal): Promise<boolean>;
  /** From every tier, with everything rendered from it, but not from the origin: it can come back from there. */
  clear(key: string, signal: AbortSignal): Promise<boolean>;
  /** From every tier, each key that the test accepts; the number of keys removed. */
  deleteWhere(test: (key: string) => boolean, signal: AbortSignal): Promise<number>;
  /** Somebody else changed the key: forget it here, and let no read that is under way store it. */
  invalidate(key: string): void;
  /** As `invalidate`, for every key. */
  invalidateAll(): void;
}
