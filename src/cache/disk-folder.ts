/**
 * Writes and removes files of the folder, one change of a file at a time. A file appears under its name
 * whole or not at all (written beside, then renamed). What is indexed is the caller's business.
 */
import { mkdir, rename, unlink, utimes } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writeFully } from './disk-file.ts';
import type { DiskPaths } from './disk-paths.ts';
import { errorCode } from './disk-read.ts';
import { closeFile, openFile } from './file-calls.ts';
import { createGate } from './gate.ts';
import { createKeyedLock } from './keyed-lock.ts';

export interface DiskFolder {
  /** Runs the changes of one file one after the other. */
  exclusive<T>(name: string, signal: AbortSignal, work: () => Promise<T>): Promise<T>;
  /** Bounds how many files are open for it: beyond a few, more only take descriptors from sockets. */
  gated<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T>;
  /** Within `exclusive`. */
  write(name: string, pieces: readonly Uint8Array[]): Promise<void>;
  /** A new file beside the others, for `adopt`. */
  createTemp<T>(create: (path: string) => Promise<T>): Promise<{ readonly temp: string; readonly made: T }>;
  /** Within `exclusive`: gives a temporary file, whole by now, its name. */
  adopt(temp: string, name: string): Promise<void>;
  discard(temp: string): Promise<void>;
  /** Within `exclusive`. False: it was not there. */
  unlink(name: string): Promise<boolean>;
  /** Removes the file if it is still unwanted once nobody else changes it. */
  unlinkIf(name: string, isUnwanted: () => boolean | Promise<boolean>): Promise<void>;
  /** Notes a use in the file's mtime, which gives the order after a restart. Never rejects: it only helps. */
  touch(name: string, timeMs: number): Promise<void>;
}

const OPEN_FILES_MAX = 32;

export function createDiskFolder(paths: DiskPaths): DiskFolder {
  const locks = createKeyedLock();
  const gate = createGate(OPEN_FILES_MAX);

  async function createTemp<T>(create: (path: string) => Promise<T>): Promise<{ temp: string; made: T }> {
    const temp = paths.newTemp();
    return { temp, made: await withFolderOf(temp, async () => create(temp)) };
  }

  async function adopt(temp: string, name: string): Promise<void> {
    await withFolderOf(paths.fileOf(name), async () => rename(temp, paths.fileOf(name)));
  }

  async function write(name: string, pieces: readonly Uint8Array[]): Promise<void> {
    const temp = paths.newTemp();
    try {
      await withFolderOf(temp, async () => writeNew(temp, pieces));
      await adopt(temp, name);
    } catch (error) {
      await discard(temp);
      throw error;
    }
  }

  async function remove(name: string): Promise<boolean> {
    try {
      await unlink(paths.fileOf(name));
      return true;
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return false;
      throw error;
    }
  }

  async function unlinkIf(name: string, isUnwanted: () => boolean | Promise<boolean>): Promise<void> {
    const { signal } = new AbortController();
    await locks.run(name, signal, async () => {
      if (await isUnwanted()) await gate.run(signal, async () => remove(name));
    });
  }

  return {
    exclusive: locks.run,
    gated: gate.run,
    write,
    createTemp,
    adopt,
    discard,
    unlink: remove,
    unlinkIf,
    touch: async (name, timeMs) =>
      utimes(paths.fileOf(name), timeMs / 1000, timeMs / 1000).catch(() => undefined),
  };
}

/** Folders are made when one is missed, which is once for each: asking first would cost every write. */
async function withFolderOf<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    await makeFolder(dirname(path));
    return work();
  }
}

/** One by one: Node's own recursion says ENOENT where there was no space (seen with Node 20). */
async function makeFolder(path: string): Promise<void> {
  const attempt = async (): Promise<string> =>
    mkdir(path).then(
      () => '',
      (error: unknown) => {
        const code = errorCode(error);
        if (code === 'EEXIST' || code === 'ENOENT') return code;
        throw error;
      },
    );
  if ((await attempt()) !== 'ENOENT') return;
  await makeFolder(dirname(path));
  await attempt();
}

async function writeNew(path: string, pieces: readonly Uint8Array[]): Promise<void> {
  const file = await openFile(path, 'wx');
  try {
    await writeFully(file, pieces);
  } finally {
    await closeFile(file);
  }
}

async function discard(temp: string): Promise<void> {
  await unlink(temp).catch(() => undefined);
}
