/**
 * Takes a body that is too large to hold into the folder while it passes through: pieces are written as
 * they come, readers follow, and the file gets its name when it is whole. What changes its key meanwhile
 * ends it: the older bytes must not come last.
 */
import { createHash } from 'node:crypto';
import type { Entry } from '../core/entry.ts';
import { AppError } from '../errors.ts';
import { abortable } from './abortable.ts';
import { createDiskBody } from './disk-body.ts';
import { encodeHead } from './disk-file.ts';
import { createDiskItem, diskCost } from './disk-item.ts';
import type { DiskParts } from './disk-parts.ts';
import { errorCode, isNoSpace } from './disk-read.ts';
import { createGrowingFile, type GrowingFile } from './growing-file.ts';
import type { GrowingBody, Keep } from './origin.ts';

export interface DiskKeep {
  readonly keep: Keep;
  /** The key was changed by somebody else. */
  cancel(key: string): void;
  cancelWhere(test: (key: string) => boolean): void;
}

/** Each holds a file and a pull open; beyond, nothing is kept and readers pull for themselves. */
const KEPT_AT_ONCE_MAX = 32;

export function createDiskKeep(parts: DiskParts, stopped: AbortSignal): DiskKeep {
  const running = new Map<string, AbortController>();

  function keep(draft: Entry, pieces: AsyncIterable<Uint8Array>): GrowingBody | undefined {
    const head = encodeHead(asWhole(draft, NO_DIGEST));
    if (head === undefined || stopped.aborted || running.size >= KEPT_AT_ONCE_MAX) return undefined;
    running.get(draft.key)?.abort();
    const cancel = new AbortController();
    running.set(draft.key, cancel);
    const signal = AbortSignal.any([stopped, cancel.signal]);
    const filling = fill({ parts, draft, pieces, headBytes: head.byteLength, signal });
    const kept = filling.kept.finally(() => {
      if (running.get(draft.key) === cancel) running.delete(draft.key);
    });
    parts.background(kept);
    return { kept, read: filling.read, writtenBytes: filling.writtenBytes };
  }

  return {
    keep,
    cancel: (key) => running.get(key)?.abort(),
    cancelWhere: (test) => {
      for (const [key, cancel] of running) if (test(key)) cancel.abort();
    },
  };
}

interface Filling {
  readonly parts: DiskParts;
  readonly draft: Entry;
  readonly pieces: AsyncIterable<Uint8Array>;
  readonly headBytes: number;
  /** Aborts when the bytes are not wanted any more. */
  readonly signal: AbortSignal;
}

interface Started {
  readonly temp: string;
  readonly file: GrowingFile;
  /** Gives the reserved room back. */
  readonly release: () => void;
}

/** As long as a digest: the head keeps its length when the real one is known. */
const NO_DIGEST = '0'.repeat(64);

function asWhole(draft: Entry, version: string): Entry {
  const { undigested: _passing, ...entry } = draft;
  return { ...entry, version };
}

function fill(filling: Filling): GrowingBody {
  const { parts, draft, signal } = filling;
  let file: GrowingFile | undefined;
  const started = start(filling).then((ready) => {
    file = ready?.file;
    return ready;
  });
  const isStarted = started.then(nothing, nothing);
  const kept = started
    .then(async (ready) => (ready === undefined ? undefined : finish(filling, ready)))
    .catch((error: unknown) => {
      // What the pull or a caller broke off says nothing about the folder.
      if (isNoSpace(error)) parts.space.forget();
      else if (!signal.aborted && errorCode(error) !== '') parts.health.writes.failed(error);
      return undefined;
    });

  async function* read(from: number, to: number, reader: AbortSignal): AsyncGenerator<Uint8Array> {
    await abortable(isStarted, reader);
    if (file === undefined) throw new AppError('body_vanished');
    const following = file.follow(from, to, reader);
    if (following !== undefined) {
      yield* following;
      return;
    }
    const entry = await kept;
    if (entry === undefined) throw new AppError('body_vanished');
    yield* createDiskBody(parts.paths.fileOf(parts.paths.nameOf(draft.key)), entry).read(from, to, reader);
  }

  return { kept, read, writtenBytes: () => file?.writtenBytes() ?? 0 };
}

const nothing = (): void => undefined;

/** Undefined: no room. */
async function start({ parts, draft, headBytes, signal }: Filling): Promise<Started | undefined> {
  const release = await parts.eviction.reserve(diskCost(headBytes, draft.bytes), signal);
  if (release === undefined) return undefined;
  try {
    const { temp, made } = await parts.folder.createTemp(async (path) => createGrowingFile(path, headBytes));
    return { temp, file: made, release };
  } catch (error) {
    release();
    throw error;
  }
}

async function finish(filling: Filling, { temp, file, release }: Started): Promise<Entry> {
  const { parts, signal } = filling;
  const { folder, paths } = parts;
  let isWhole = false;
  try {
    const entry = await pour(filling, file);
    const name = paths.nameOf(entry.key);
    await folder.exclusive(name, signal, async () => {
      await folder.adopt(temp, name);
      index(filling, entry);
      release();
    });
    isWhole = true;
    return entry;
  } finally {
    release();
    await file.end(isWhole);
    if (!isWhole) await folder.discard(temp);
  }
}

/** Throws where the pieces break off, or are not as many bytes as was said. */
async function pour({ draft, pieces, signal }: Filling, file: GrowingFile): Promise<Entry> {
  const hash = createHash('sha256');
  for await (const piece of pieces) {
    signal.throwIfAborted();
    if (file.writtenBytes() + piece.byteLength > draft.bytes) throw new AppError('origin_failed');
    hash.update(piece);
    await file.append(piece);
  }
  signal.throwIfAborted();
  const entry = asWhole(draft, hash.digest('hex'));
  const head = encodeHead(entry);
  if (head === undefined || file.writtenBytes() !== draft.bytes) throw new AppError('origin_failed');
  await file.writeHead(head);
  return entry;
}

function index({ parts, headBytes }: Filling, entry: Entry): void {
  const facts = { inherited: false, verified: true, used: true, touchedMs: parts.nowMs() };
  const item = createDiskItem(entry, { headBytes, ...facts });
  parts.space.note(item.cost - (parts.index.get(entry.key)?.cost ?? 0));
  parts.index.add(item);
}
