/** A thread that reads the heads of files of the disk tier, for as long as heads-thread.ts asks. */
import { parentPort, workerData } from 'node:worker_threads';
import { createFirstRead, inspectFileNow } from '../src/cache/disk-heads.ts';
import { createDiskPaths } from '../src/cache/disk-paths.ts';
import type { HeadsThreadData } from '../src/cache/heads-thread.ts';
import { lowerPriority } from './lower-priority.ts';

// Its one starter is heads-thread.ts, as is who asks.
const { dir, nice } = workerData as HeadsThreadData;
lowerPriority(nice);
const paths = createDiskPaths(dir);
const first = createFirstRead();
parentPort?.on('message', (names: readonly string[]) => {
  parentPort?.postMessage(names.map((name) => inspectFileNow(paths, name, first)));
});
