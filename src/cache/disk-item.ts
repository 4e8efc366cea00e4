/** What the index keeps of an entry and its file. */
import type { Entry } from '../core/entry.ts';
import type { Linked } from './recency-list.ts';

/** What the index wants to know of an entry. */
export type IndexedEntry = Pick<
  Entry,
  'key' | 'version' | 'bytes' | 'expiresAtMs' | 'parent' | 'parentVersion'
>;

export interface DiskItem extends Linked<DiskItem> {
  readonly key: string;
  readonly version: string;
  readonly headBytes: number;
  readonly bodyBytes: number;
  /** What the file takes on disk. */
  readonly cost: number;
  readonly expiresAtMs: number;
  readonly parent: string | undefined;
  readonly parentVersion: string | undefined;
  /** Found in the folder at start, not written by this run. */
  readonly inherited: boolean;
  /** Written by this run, or its digest was checked by it. */
  verified: boolean;
  /** Last use that the file's mtime knows of. */
  touchedMs: number;
  /** Used in this run: its place in the order is not the loader's to decide any more. */
  used: boolean;
}

export interface FileFacts {
  readonly headBytes: number;
  readonly inherited: boolean;
  readonly verified: boolean;
  readonly used: boolean;
  readonly touchedMs: number;
}

/** Files take whole blocks; 4 KiB is what common filesystems have. */
const BLOCK_BYTES = 4096;

export function diskCost(headBytes: number, bodyBytes: number): number {
  return Math.ceil((headBytes + bodyBytes) / BLOCK_BYTES) * BLOCK_BYTES;
}

export function createDiskItem(entry: IndexedEntry, facts: FileFacts): DiskItem {
  return {
    key: entry.key,
    version: entry.version,
    bodyBytes: entry.bytes,
    cost: diskCost(facts.headBytes, entry.bytes),
    expiresAtMs: entry.expiresAtMs,
    parent: entry.parent,
    parentVersion: entry.parentVersion,
    newer: undefined,
    older: undefined,
    ...facts,
  };
}

export function isDiskItemExpired(item: DiskItem, nowMs: number): boolean {
  return item.expiresAtMs !== 0 && item.expiresAtMs <= nowMs;
}
