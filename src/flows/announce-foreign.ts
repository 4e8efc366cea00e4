/**
 * The story of an image that another program stored where this server reads: announced as if it had come
 * in here. Decides what is told; how the change was heard, and by which instance, is decided elsewhere.
 */
import type { Cache } from '../cache/lookup.ts';
import { isWhole, type Entry, type ImageFacts } from '../core/entry.ts';
import type { EventDraft } from '../core/event.ts';
import { checkImageId, imagePath } from '../core/image-id.ts';
import { imageKey, partialKey } from '../core/keys.ts';
import { AppError, errorRow } from '../errors.ts';
import type { ImagePool } from '../pool/image-pool.ts';

export interface AnnounceForeignDeps {
  readonly cache: Cache;
  readonly pool: Pick<ImagePool, 'ingest'>;
  readonly announce: (draft: EventDraft) => Promise<unknown>;
  /** Before `/images/…` in what is told to others; '' for a path only. */
  readonly publicBaseUrl: string;
}

export interface ForeignAnnouncement {
  readonly version: string;
  /** False: it does not decode, so that it would have been refused here. */
  readonly announce: (signal: AbortSignal) => Promise<boolean>;
}

/** Undefined: there is no such image, or its id is none that could be asked for. */
export async function readForeign(
  id: string,
  deps: AnnounceForeignDeps,
  signal: AbortSignal,
): Promise<ForeignAnnouncement | undefined> {
  if (!isImageId(id)) return undefined;
  const found = await deps.cache.find(imageKey(id), signal);
  if (found === undefined || !isWhole(found.body)) return undefined;
  const { entry, body } = found;
  return {
    version: entry.version,
    announce: async (until) => {
      const image = entry.image ?? (await factsOf(body, deps, until));
      if (image === undefined) return false;
      await deps.announce(ready(id, entry, image, deps.publicBaseUrl));
      await deps.cache.delete(partialKey(id), until);
      return true;
    },
  };
}

export async function announceDeleted(
  id: string,
  deps: Pick<AnnounceForeignDeps, 'announce'>,
): Promise<void> {
  if (!isImageId(id)) return;
  const data = { id, topics: [] };
  await deps.announce({ name: 'image.deleted', kind: 'final', data, thumbnail: '', bodyKey: '' });
}

/** Other programs choose their keys as they like. */
function isImageId(id: string): boolean {
  try {
    checkImageId(id);
    return true;
  } catch (error) {
    if (error instanceof AppError) return false;
    throw error;
  }
}

/** Decoded in a worker, from a copy: the bytes stay in memory for whoever asks next. */
async function factsOf(
  body: Uint8Array,
  deps: AnnounceForeignDeps,
  signal: AbortSignal,
): Promise<ImageFacts | undefined> {
  try {
    return await deps.pool.ingest(new Uint8Array(body), 'raw', signal);
  } catch (error) {
    if (error instanceof AppError && errorRow(error.code).status < 500) return undefined;
    throw error;
  }
}

function ready(id: string, entry: Entry, image: ImageFacts, publicBaseUrl: string): EventDraft {
  const { key, version, mime, bytes, topics = [], meta } = entry;
  const { width, height, thumbhash, thumbnail } = image;
  const full = `${publicBaseUrl}${imagePath(id)}?v=${version}`;
  return {
    name: 'image.ready',
    kind: 'final',
    data: { id, version, mime, bytes, width, height, topics, full, thumbhash, ...(meta ? { meta } : {}) },
    thumbnail,
    bodyKey: key,
  };
}
