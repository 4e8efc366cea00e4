/** The parts of one disk tier, as its lookups and its changes share them. Types only. */
import type { DiskEviction } from './disk-eviction.ts';
import type { DiskFolder } from './disk-folder.ts';
import type { DiskHealth } from './disk-health.ts';
import type { DiskIndex } from './disk-index.ts';
import type { DiskInheritance } from './disk-inheritance.ts';
import type { DiskItem } from './disk-item.ts';
import type { DiskPaths } from './disk-paths.ts';
import type { DiskSpace } from './disk-space.ts';

export interface DiskParts {
  readonly paths: DiskPaths;
  readonly folder: DiskFolder;
  readonly index: DiskIndex;
  readonly space: DiskSpace;
  readonly eviction: DiskEviction;
  readonly inheritance: DiskInheritance;
  readonly health: DiskHealth;
  readonly nowMs: () => number;
  /** Removes the file of an item that is out of the index. Never rejects; false: it is still there. */
  readonly removeFile: (item: DiskItem) => Promise<boolean>;
  /** Work that nobody waits for, but a stop does. Its failure is noted, not thrown. */
  readonly background: (work: Promise<unknown>) => void;
}
