/**
 * Writes an entry into the folder: reserves its room, and where the filesystem has no space all the same
 * (inodes, a quota, another program) has older files go for it.
 */
import { isExpired, type Entry } from '../core/entry.ts';
import { encodeHead } from './disk-file.ts';
import { createDiskItem, diskCost } from './disk-item.ts';
import type { DiskParts } from './disk-parts.ts';
import { isNoSpace } from './disk-read.ts';

/** False: there is no room for it, or it is of no use. Throws where the folder fails. */
type DiskPut = (entry: Entry, body: Uint8Array, signal: AbortSignal) => Promise<boolean>;

/** So often other files go for it, twice as many bytes each time. */
const FULL_RETRIES = 4;

/** `onReplaced`: whatever the key had before is gone. */
export function createDiskPut(parts: DiskParts, onReplaced: (entry: Entry) => void): DiskPut {
  const { paths, folder, index, space, eviction, health, nowMs } = parts;

  async function put(entry: Entry, body: Uint8Array, signal: AbortSignal): Promise<boolean> {
    signal.throwIfAborted();
    const head = encodeHead(entry);
    // A body of another length than its entry says would be a torn file.
    if (head === undefined || entry.bytes !== body.byteLength || isExpired(entry, nowMs())) return false;
    const cost = diskCost(head.byteLength, body.byteLength);
    const release = await eviction.reserve(cost, signal);
    if (release === undefined) {
      if (eviction.fits(cost) && !signal.aborted) health.noteFull(true);
      return false;
    }
    try {
      let isWritten = await tryToWrite(entry, head, body, release, signal);
      for (let tries = 0; !isWritten && tries < FULL_RETRIES; tries += 1) {
        if (!(await eviction.evict(cost * 2 ** tries))) break;
        isWritten = await tryToWrite(entry, head, body, release, signal);
      }
      health.noteFull(!isWritten);
      return isWritten;
    } finally {
      release();
    }
  }

  /** False: no space, whatever was reckoned. */
  async function tryToWrite(
    entry: Entry,
    head: Uint8Array,
    body: Uint8Array,
    release: () => void,
    signal: AbortSignal,
  ): Promise<boolean> {
    return folder.exclusive(paths.nameOf(entry.key), signal, async () =>
      folder.gated(signal, async () => write(entry, head, body, release)),
    );
  }

  async function writeFile(entry: Entry, pieces: readonly Uint8Array[]): Promise<boolean> {
    const uninterrupted = new AbortController().signal;
    return health.writes.watch(uninterrupted, async () =>
      folder.write(paths.nameOf(entry.key), pieces).then(
        () => true,
        (error: unknown) => {
          if (isNoSpace(error)) return false;
          throw error;
        },
      ),
    );
  }

  async function write(
    entry: Entry,
    head: Uint8Array,
    body: Uint8Array,
    release: () => void,
  ): Promise<boolean> {
    const hadSpace = await twice(async () => writeFile(entry, [head, body]));
    if (!hadSpace) {
      space.forget();
      return false;
    }
    const facts = { inherited: false, verified: true, used: true, touchedMs: nowMs() };
    const item = createDiskItem(entry, { headBytes: head.byteLength, ...facts });
    space.note(item.cost - (index.get(entry.key)?.cost ?? 0));
    index.add(item);
    release();
    onReplaced(entry);
    return true;
  }

  return put;
}

/** What fails once, as where handles or memory were short, is not refused for it. */
async function twice(work: () => Promise<boolean>): Promise<boolean> {
  return work().catch(async () => work());
}
