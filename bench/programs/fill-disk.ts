/** Fills a cache folder as the disk tier itself writes it. */
import { createDiskTier } from '../../src/cache/disk-tier.ts';
import { systemClock } from '../../src/core/clock.ts';
import { makeEntry } from '../make-entry.ts';

export interface DiskImage {
  readonly key: string;
  readonly body: Uint8Array;
}

const LIMIT_BYTES = 2 ** 40;
const AT_ONCE = 32;
const quiet = { info: () => undefined, warn: () => undefined };

export async function fillDisk(dir: string, images: Iterable<DiskImage>): Promise<void> {
  const tier = createDiskTier(
    { dir, limitBytes: LIMIT_BYTES, minFreeBytes: 0 },
    { clock: systemClock, log: quiet },
  );
  await tier.loaded;
  const { signal } = new AbortController();
  const left = images[Symbol.iterator]();
  const write = async (): Promise<void> => {
    for (let next = left.next(); next.done !== true; next = left.next()) {
      const { key, body } = next.value;
      if (!(await tier.put(makeEntry(key, body), body, signal))) throw new Error(`${key} was not written`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, write));
  await tier.close();
}
