/**
 * Looks at files of the folder without their bodies: which entry, whole or not. Once without waiting, for
 * a thread of its own (four turns through libuv cost ten times what the reading does), and once with.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { decodeHead, readHead, FIRST_READ_BYTES, type DiskHead } from './disk-file.ts';
import type { IndexedEntry } from './disk-item.ts';
import type { DiskPaths } from './disk-paths.ts';
import { errorCode } from './disk-read.ts';

export interface InheritedFile {
  readonly entry: IndexedEntry;
  readonly headBytes: number;
  readonly mtimeMs: number;
}

/** torn: a file under one of our names that is none, or not whole. absent: gone since it was listed. */
export type Inspected = InheritedFile | 'torn' | 'absent';

/** Looks at many files at a time; what could not be read is `failed`. */
export interface HeadReader {
  /** How many names one call may have. */
  readonly atOnce: number;
  /** In the order of the names. */
  read(names: readonly string[]): Promise<readonly (Inspected | 'failed')[]>;
  close(): Promise<void>;
}

/** Less than libuv has threads, so that other reads get through. */
const AT_ONCE_HERE = 3;

/** In this thread, which never waits for the disk. */
export function createHeadReader(paths: DiskPaths): HeadReader {
  return {
    atOnce: AT_ONCE_HERE,
    read: async (names) =>
      Promise.all(names.map(async (name) => inspectFile(paths, name).catch(() => 'failed' as const))),
    close: async () => undefined,
  };
}

/** Throws where it is there and cannot be read. */
export async function inspectFile(paths: DiskPaths, name: string): Promise<Inspected> {
  try {
    const file = await open(paths.fileOf(name), 'r');
    try {
      const [head, stat] = await Promise.all([readHead(file), file.stat()]);
      return judge(paths, name, head, stat);
    } finally {
      await file.close();
    }
  } catch (error) {
    return excuse(error);
  }
}

/** As `inspectFile`, and holds its thread meanwhile. A head that one read does not bring is `failed`. */
export function inspectFileNow(paths: DiskPaths, name: string, first: Buffer): Inspected | 'failed' {
  try {
    const file = openSync(paths.fileOf(name), 'r');
    try {
      const stat = fstatSync(file);
      const got = readSync(file, first, 0, first.byteLength, 0);
      const head = decodeHead(first.subarray(0, got));
      if (head === undefined && stat.size > got) return 'failed';
      return judge(paths, name, head, stat);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    try {
      return excuse(error);
    } catch {
      return 'failed';
    }
  }
}

export function createFirstRead(): Buffer {
  return Buffer.alloc(FIRST_READ_BYTES);
}

/** What the head says, if head and size fit together. */
function judge(
  paths: DiskPaths,
  name: string,
  head: DiskHead | undefined,
  { size, mtimeMs }: { readonly size: number; readonly mtimeMs: number },
): Inspected {
  if (head === undefined || size !== head.headBytes + head.entry.bytes) return 'torn';
  if (paths.nameOf(head.entry.key) !== name) return 'torn';
  const { key, version, bytes, expiresAtMs, parent, parentVersion } = head.entry;
  const entry = {
    key,
    version,
    bytes,
    expiresAtMs,
    ...(parent === undefined ? {} : { parent }),
    ...(parentVersion === undefined ? {} : { parentVersion }),
  };
  return { entry, headBytes: head.headBytes, mtimeMs };
}

function excuse(error: unknown): 'torn' | 'absent' {
  if (errorCode(error) === 'EISDIR') return 'torn';
  if (errorCode(error) === 'ENOENT') return 'absent';
  throw error;
}
