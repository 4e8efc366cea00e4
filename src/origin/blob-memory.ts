/**
 * What is remembered of Azure's answers without asking again: marks newer than those the tiers keep,
 * names that are missing, large blobs that pass through. Time only; it calls nobody.
 */
import type { Clock } from '../core/clock.ts';
import type { Entry, OriginMark } from '../core/entry.ts';
import type { LargeBlob } from './large-blob.ts';
import { createRecent } from '../core/recent.ts';

export interface LargeKnown {
  readonly entry: Entry;
  readonly blob: LargeBlob;
}

export interface BlobMemory {
  /** Azure has just said that the key has this ETag. */
  mark(key: string, etag: string): OriginMark;
  /** The entry under the newest mark of its bytes. */
  withNewestMark(entry: Entry): Entry;
  isFresh(entry: Entry): boolean;
  /** Azure fails: the entry with its next question put off; undefined once its stale time is over. */
  staleOf(entry: Entry | undefined): Entry | undefined;
  isMissing(key: string): boolean;
  noteMissing(key: string): void;
  large(key: string): LargeKnown | undefined;
  noteLarge(known: LargeKnown): void;
  forget(key: string): void;
  forgetAll(): void;
}

export interface BlobMemoryOptions {
  readonly freshMs: number;
  readonly staleIfErrorMs: number;
  readonly missingMs: number;
}

/** While Azure fails, it is asked again about one image only this often. */
const STALE_PAUSE_MS = 5000;
const REMEMBERED_MAX = 20_000;
const LARGE_MAX = 1000;

export function createBlobMemory(options: BlobMemoryOptions, clock: Clock): BlobMemory {
  const missing = createRecent<number>(REMEMBERED_MAX);
  const marks = createRecent<OriginMark>(REMEMBERED_MAX);
  const large = createRecent<LargeKnown>(LARGE_MAX);

  const forget = (key: string): void => {
    missing.delete(key);
    marks.delete(key);
    large.get(key)?.blob.stopFilling();
    large.delete(key);
  };

  return {
    mark(key, etag) {
      const freshUntilMs = clock.nowMs() + options.freshMs;
      const mark = { etag, freshUntilMs, staleUntilMs: freshUntilMs + options.staleIfErrorMs };
      marks.set(key, mark);
      missing.delete(key);
      return mark;
    },
    withNewestMark(entry) {
      const mark = marks.get(entry.key);
      return mark === undefined || mark.etag !== entry.origin?.etag ? entry : { ...entry, origin: mark };
    },
    isFresh: ({ origin }) => origin !== undefined && origin.freshUntilMs > clock.nowMs(),
    staleOf(entry) {
      const nowMs = clock.nowMs();
      if (entry?.origin === undefined || entry.origin.staleUntilMs <= nowMs) return undefined;
      const freshUntilMs = Math.min(nowMs + STALE_PAUSE_MS, entry.origin.staleUntilMs);
      const mark = { ...entry.origin, freshUntilMs };
      marks.set(entry.key, mark);
      return { ...entry, origin: mark };
    },
    isMissing(key) {
      const leftMs = (missing.get(key) ?? 0) - clock.nowMs();
      // More than that is left only where the clock was set back meanwhile.
      return leftMs > 0 && leftMs <= options.missingMs;
    },
    noteMissing(key) {
      forget(key);
      missing.set(key, clock.nowMs() + options.missingMs);
    },
    large: (key) => large.get(key),
    noteLarge: (known) => large.set(known.entry.key, known),
    forget,
    forgetAll() {
      for (const { blob } of large.values()) blob.stopFilling();
      for (const remembered of [missing, marks, large]) remembered.clear();
    },
  };
}
