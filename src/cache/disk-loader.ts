/**
 * Finds what an earlier run left in the folder, some files at a time and a turn of the event loop
 * between, so that a server with a million files answers from its first second. It reports; keeping and
 * removing are the tier's decisions, and how a file is looked at the reader's.
 */
import { readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { inspectFile, type HeadReader, type InheritedFile } from './disk-heads.ts';
import { isDiskFileName, strangerOf, type DiskPaths } from './disk-paths.ts';
import { errorCode } from './disk-read.ts';

export interface LoaderDeps {
  readonly paths: DiskPaths;
  readonly heads: HeadReader;
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

const SHARD = /^[0-9a-f]{1,2}$/;
const NO_FOLDER: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR']);

/** Throws where the folder itself cannot be read. */
export async function loadDiskFolder(deps: LoaderDeps): Promise<void> {
  const { heads, isStopped, yieldTurn = nextTurn } = deps;
  await removeStaleTemps(deps.paths);
  const waiting: string[] = [];
  for await (const names of listShards(deps)) {
    waiting.push(...names);
    while (waiting.length >= heads.atOnce && !isStopped()) {
      await inspect(waiting.splice(0, heads.atOnce), deps);
      await yieldTurn();
    }
    if (isStopped()) return;
  }
  if (waiting.length > 0) await inspect(waiting, deps);
}

async function* listShards(deps: LoaderDeps): AsyncGenerator<string[]> {
  const { paths } = deps;
  for (const outer of await readdir(paths.root)) {
    if (!SHARD.test(outer)) continue;
    for (const inner of (await list(join(paths.root, outer), deps)).filter((name) => SHARD.test(name))) {
      const folder = join(paths.root, outer, inner);
      yield (await list(folder, deps)).filter((name) => isOurs(paths, name, folder));
    }
  }
}

/** A name of ours in the folder that belongs to it; anything else is somebody else's and stays. */
function isOurs(paths: DiskPaths, name: string, folder: string): boolean {
  return isDiskFileName(name) && paths.folderOf(name) === folder;
}

async function inspect(names: readonly string[], deps: LoaderDeps): Promise<void> {
  const found = await deps.heads.read(names).catch(() => []);
  for (const [at, name] of names.entries()) {
    const first = found[at] ?? 'failed';
    // Once more where it failed: file handles may have been short for a moment.
    const file = first === 'failed' ? await inspectFile(deps.paths, name).catch(deps.onSkipped) : first;
    if (file === 'torn') await deps.onTorn(name);
    else if (file !== undefined && file !== 'absent') deps.onFile(file);
  }
}

/** One part that cannot be read is skipped: the others are still good. */
async function list(folder: string, deps: Pick<LoaderDeps, 'onSkipped'>): Promise<string[]> {
  try {
    return await readdir(folder).catch(async () => readdir(folder));
  } catch (error) {
    if (!NO_FOLDER.has(errorCode(error))) deps.onSkipped(error);
    return [];
  }
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
