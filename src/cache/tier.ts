/**
 * The seam of every place that may hold bytes. A tier knows nothing of HTTP, of other tiers, or of
 * their order; it reports a failure by throwing, and whoever asks decides that this is a miss.
 */
import type { Entry, Stored } from '../core/entry.ts';

export interface TierStats {
  readonly name: string;
  readonly entries: number;
  readonly bytes: number;
  readonly limitBytes: number;
  readonly hits: number;
  readonly misses: number;
  readonly evictions: number;
  readonly errors: number;
}

/** Made from another entry: a rendering of an image. */
export interface Child {
  readonly key: string;
  readonly bytes: number;
}

/** A tier that answers from another thread, process or machine. Disk, Redis. */
export interface Tier {
  readonly name: string;
  /** Undefined is a miss: unknown, expired, torn or vanished. */
  get(key: string, signal: AbortSignal): Promise<Stored | undefined>;
  /** Whether the key is known without asking anybody; false where that would cost a round trip. */
  has(key: string): boolean;
  /** False: not kept, by the tier's own rules (too large, no space). Takes only whole bodies. */
  put(entry: Entry, body: Uint8Array, signal: AbortSignal): Promise<boolean>;
  /** Removes the key and everything whose entry names it as its parent. True: the key was there. */
  delete(key: string, signal: AbortSignal): Promise<boolean>;
  /** Removes every key that the test accepts; the number removed. */
  deleteWhere(test: (key: string) => boolean, signal: AbortSignal): Promise<number>;
  /** What it has that names the key as its parent; absent where that would cost a round trip. */
  childrenOf?(key: string): readonly Child[];
  stats(): TierStats;
  close(): Promise<void>;
}
