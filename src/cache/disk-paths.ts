/**
 * Where the files of a folder lie: names are hashes of keys, so no key becomes part of a path; two
 * levels of folders (16 x 256) keep each one short. Everything is below a folder that names the form.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';

export interface DiskPaths {
  /** Everything of ours is below; what else lies in CACHE_DIR is not touched. */
  readonly root: string;
  readonly temp: string;
  /** Lowercase hex sha-256 of the key. */
  nameOf(key: string): string;
  folderOf(name: string): string;
  fileOf(name: string): string;
  newTemp(): string;
}

const FILE_NAME = /^[0-9a-f]{64}$/;
const TEMP_NAME = /^(\d+)-\d+-\d+$/;
/** One for the process, whatever number of folders it has. */
const RUN = `${process.pid}-${Date.now()}-`;
let made = 0;

export function createDiskPaths(dir: string): DiskPaths {
  const root = join(dir, 'v1');
  const temp = join(root, 'tmp');
  const folderOf = (name: string): string => join(root, name.slice(0, 1), name.slice(1, 3));

  return {
    root,
    temp,
    nameOf: (key) => createHash('sha256').update(key).digest('hex'),
    folderOf,
    fileOf: (name) => join(folderOf(name), name),
    newTemp: () => {
      made += 1;
      return join(temp, `${RUN}${made}`);
    },
  };
}

export function isDiskFileName(name: string): boolean {
  return FILE_NAME.test(name);
}

/** The process that a temporary file belongs to; undefined: made by this run, or no such file at all. */
export function strangerOf(name: string): number | undefined {
  const match = TEMP_NAME.exec(name);
  return match === null || name.startsWith(RUN) ? undefined : Number(match[1]);
}
