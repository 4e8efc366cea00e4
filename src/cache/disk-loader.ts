/**
 * Finds what an earlier run left in the folder, a few files at a time and a turn of the event loop
 * between, so that a server with a million files answers from its first second. It reports; keeping and
 * removing are the tier's decisions.
 */
import { open, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Entry } from '../core/entry.ts';
import { readHead } from './disk-file.ts';
import { isDiskFileName, strangerOf, type DiskPaths } from './disk-paths.ts';
import { errorCode } from './disk-read.ts';

export interface InheritedFile {
  readonly entry: Entry;
  readonly headBytes: number;
  readonly mtimeMs: number;
}

export interface LoaderDeps {
  readonly paths: DiskPaths;
  /** A whole file. Its digest was not checked. */
  readonly onFile: (file: InheritedFile) => void;
  /** A file under one of our names that is none, or not whole. */
  readonly onTorn: (name: string) => Promise<void>;
  /** A file or a part of the folder is there, but could not be read. */
  readonly onSkipped: (error: unknown) => void;
  readonly isStopped: () => boolean;
  /** Between two slices; for tests to count. */
  readonly yieldTurn?: () => Promise<unknown>;
}

/** Files that are looked at side by side: less than libuv has threads, so that reads get through. */
const SLICE_FILES = 3;
const SHARD = /^[0-9a-f]{1,2}$/;
const NO_FOLDER: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR']);

/** Throws where the folder itself cannot be read. */
export async function loadDiskFolder(deps: LoaderDeps): Promise<void> {
  const yieldTurn = deps.yieldTurn ?? nextTurn;
  const { paths, isStopped } = deps;
  await removeStaleTemps(paths);
  for (const outer of await readdir(paths.root)) {
    if (!SHARD.test(outer)) continue;
    for (const inner of (await list(join(paths.root, outer), deps)).filter((name) => SHARD.test(name))) {
      await loadShard(join(paths.root, outer, inner), deps, yieldTurn);
      if (isStopped()) return;
    }
  }
}

async function loadShard(folder: string, deps: LoaderDeps, yieldTurn: () => Promise<unknown>): Promise<void> {
  const names = (await list(folder, deps)).filter((name) => isOurs(deps.paths, name, folder));
  for (let start = 0; start < names.length && !deps.isStopped(); start += SLICE_FILES) {
    await Promise.all(names.slice(start, start + SLICE_FILES).map(async (name) => inspect(name, deps)));
    await yieldTurn();
  }
}

/** A name of ours in the folder that belongs to it; anything else is somebody else's and stays. */
function isOurs(paths: DiskPaths, name: string, folder: string): boolean {
  return isDiskFileName(name) && paths.folderOf(name) === folder;
}

async function inspect(name: string, deps: LoaderDeps): Promise<void> {
  const file = await again(async () => inspectFile(deps.paths, name)).catch(deps.onSkipped);
  if (file === 'torn') await deps.onTorn(name);
  else if (file !== undefined && file !== 'absent') deps.onFile(file);
}

/** What the head says, if head and size fit together. Throws where it is there and cannot be read. */
export async function inspectFile(
  paths: DiskPaths,
  name: string,
): Promise<InheritedFile | 'torn' | 'absent'> {
  try {
    const file = await open(paths.fileOf(name), 'r');
    try {
      const [head, { size, mtimeMs }] = await Promise.all([readHead(file), file.stat()]);
      if (head === undefined || size !== head.headBytes + head.entry.bytes) return 'torn';
      return paths.nameOf(head.entry.key) === name ? { ...head, mtimeMs } : 'torn';
    } finally {
      await file.close();
    }
  } catch (error) {
    if (errorCode(error) === 'EISDIR') return 'torn';
    // Gone since it was listed.
    if (errorCode(error) === 'ENOENT') return 'absent';
    throw error;
  }
}

/** One part that cannot be read is skipped: the others are still good. */
async function list(folder: string, deps: Pick<LoaderDeps, 'onSkipped'>): Promise<string[]> {
  try {
    return await again(async () => readdir(folder));
  } catch (error) {
    if (!NO_FOLDER.has(errorCode(error))) deps.onSkipped(error);
    return [];
  }
}

/** Once more where it failed: file handles may have been short for a moment. */
async function again<T>(work: () => Promise<T>): Promise<T> {
  return work().catch(work);
}

/** A half-written file goes when its process is gone, or had our id before us (1, in a container). */
async function removeStaleTemps(paths: DiskPaths): Promise<void> {
  for (const name of await readdir(paths.temp).catch(() => [])) {
    const owner = strangerOf(name);
    if (owner === undefined || (owner !== process.pid && isRunning(owner))) continue;
    await unlink(join(paths.temp, name)).catch(() => undefined);
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}
