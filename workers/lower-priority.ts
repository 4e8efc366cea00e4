/** As src/launch.cts does with libuv's threads: the thread that calls yields to the loop that serves everybody. */
import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';

/** As nice(1) counts. Linux takes a thread's number where it takes a process's. */
export function lowerPriority(nice: number): void {
  try {
    setPriority(Number(readlinkSync('/proc/thread-self').split('/').at(-1)), nice);
  } catch {
    // Not Linux, or not allowed.
  }
}
