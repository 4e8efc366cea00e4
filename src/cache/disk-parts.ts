/** The parts of one disk tier, as its lookups and its changes share them. Types only. */
import type { DiskEviction } from './disk-eviction.ts';
import type { DiskFolder } from './disk-folder.ts';
import type { DiskIndex } from './disk-index.ts';
import type { DiskInheritance } from './disk-inheritance.ts';
import type { DiskItem } from './disk-item.ts';
import type { DiskPaths } from './disk-paths.ts';
import type { DiskSpace } from './disk-space.ts';
import type { HealthNote } from './health-note.ts';

export interface DiskParts {
  readonly paths: DiskPaths;
  readonly folder: DiskFolder;
  readonly index: DiskIndex;
  readonly space: DiskSpace;
  readonly eviction: DiskEviction;
  readonly inheritance: DiskInheritance;
  /** Apart: a full disk is read all the same, and each would call the other's failure over. */
  readonly reads: HealthNote;
  readonly writes: HealthNote;
  readonly nowMs: () => number;
  /** Removes the file of an item that is out of the index. Never rejects; false: it is still there. */
  readonly removeFile: (item: DiskItem) => Promise<boolean>;
  /** Work that nobody waits for, but a stop does. Its failure is noted, not thrown. */
  readonly background: (work: Promise<unknown>) => void;
}
