/**
 * How much the filesystem may still take, so that the cache never fills it: asked for every few seconds,
 * counted along in between. A filesystem that cannot say is taken to have room.
 */
import { statfs } from 'node:fs/promises';
import type { Clock } from '../core/clock.ts';

export interface DiskSpace {
  /** Bytes that may be written before less than the minimum is free; negative: already so. */
  spareBytes(): Promise<number>;
  /** Counts along: positive for bytes written, negative for bytes freed. */
  note(bytes: number): void;
  /** A write found the disk full, whatever was reckoned: ask again next time. */
  forget(): void;
}

const ASK_EVERY_MS = 5000;

export function createDiskSpace(dir: string, minFreeBytes: number, clock: Clock): DiskSpace {
  let spare = 0;
  let askedAtMs = Number.NEGATIVE_INFINITY;
  let asking: Promise<void> | undefined;

  async function ask(): Promise<void> {
    askedAtMs = clock.nowMs();
    try {
      const { bavail, bsize } = await statfs(dir);
      spare = bavail * bsize - minFreeBytes;
    } catch {
      spare = Number.POSITIVE_INFINITY;
    } finally {
      asking = undefined;
    }
  }

  return {
    spareBytes: async () => {
      if (clock.nowMs() - askedAtMs >= ASK_EVERY_MS) asking ??= ask();
      await asking;
      return spare;
    },
    note: (bytes) => {
      spare -= bytes;
    },
    forget: () => {
      askedAtMs = Number.NEGATIVE_INFINITY;
    },
  };
}
