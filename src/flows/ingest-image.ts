/**
 * The story of an image coming in: check what was said of it, decode it in a worker, keep it, announce
 * it. Decides what happens; knows neither HTTP nor where the bytes end up.
 */
import type { Cache } from '../cache/lookup.ts';
import type { Clock } from '../core/clock.ts';
import type { Entry } from '../core/entry.ts';
import { checkEventName, type EventDraft } from '../core/event.ts';
import { checkImageId, imagePath } from '../core/image-id.ts';
import { imageKey, partialKey } from '../core/keys.ts';
import { PARTIAL_INDEX_MAX, TOPICS_PER_IMAGE_MAX, TTL_S_MAX, TTL_S_MIN } from '../core/limits.ts';
import { checkTopic } from '../core/topic.ts';
import { AppError } from '../errors.ts';
import type { ImagePool } from '../pool/image-pool.ts';
import type { BodyForm, IngestResult } from '../pool/job.ts';

export interface Upload {
  readonly id: string;
  /** Taken over: detached afterwards. */
  readonly body: ArrayBuffer;
  readonly form: BodyForm;
  readonly topics: readonly string[];
  /** Seconds; what the envelope says counts only where this is undefined. */
  readonly ttlS?: number;
  /** Name of the event instead of `image.ready`. */
  readonly eventName?: string;
  /** Set: a not-yet-final image; announced, and kept only until the next one or the final. */
  readonly partialIndex?: number;
}

/** What the producer gets back. */
export interface Receipt {
  readonly id: string;
  readonly version: string;
  readonly bytes: number;
  readonly mime: string;
  readonly width: number;
  readonly height: number;
  readonly thumbhash: string;
  readonly url: string;
  readonly replaced: boolean;
}

export interface IngestDeps {
  readonly pool: Pick<ImagePool, 'ingest'>;
  readonly cache: Cache;
  /** Publishes; resolves when the event is out, or a newer one is certain to go instead of it. */
  readonly announce: (draft: EventDraft) => Promise<void>;
  readonly clock: Clock;
  /** Runs the work of one image id after the other, so that a slow partial can't overtake its final. */
  readonly inOrder: <T>(id: string, signal: AbortSignal, work: () => Promise<T>) => Promise<T>;
  /** Before `/images/…` in what is told to others; '' for a path only. */
  readonly publicBaseUrl: string;
  /** Bounds what happens after the image was accepted, when the client's leaving no longer matters. */
  readonly storeTimeoutMs: number;
}

/** How long the newest partial of an image that never becomes final is kept. */
const PARTIAL_TTL_S = 600;

/** Takes an image in. AppError for every mistake in it, before anything is kept. */
export async function ingestImage(upload: Upload, deps: IngestDeps, signal: AbortSignal): Promise<Receipt> {
  checkUpload(upload);
  return deps.inOrder(upload.id, signal, async () => decodeAndKeep(upload, deps, signal));
}

async function decodeAndKeep(upload: Upload, deps: IngestDeps, signal: AbortSignal): Promise<Receipt> {
  const image = await deps.pool.ingest(new Uint8Array(upload.body), upload.form, signal);
  const entry = describe(upload, image, deps.clock.nowMs());
  const accepted = AbortSignal.timeout(deps.storeTimeoutMs);
  const isPartial = upload.partialIndex !== undefined;
  // An image that memory alone had would be lost by its evicting it: only a partial may be.
  const where = isPartial ? 'anywhere' : 'behind-memory';
  const { replaced } = await deps.cache.put(entry, image.bytes, accepted, where);
  const url = addressOf(upload, image.version, deps.publicBaseUrl);
  await deps.announce(announcement(upload, entry, url));
  // It is accepted by now: a partial that stays goes by its time.
  if (!isPartial) await deps.cache.delete(partialKey(upload.id), accepted).catch(() => false);
  const { version, mime, width, height, thumbhash } = image;
  return { id: upload.id, version, bytes: entry.bytes, mime, width, height, thumbhash, url, replaced };
}

/** Removes an image everywhere and tells whoever follows it. False: there was none. */
export async function deleteImage(id: string, deps: Omit<IngestDeps, 'pool'>): Promise<boolean> {
  checkImageId(id);
  const accepted = AbortSignal.timeout(deps.storeTimeoutMs);
  return deps.inOrder(id, accepted, async () => removeAndTell(id, deps, accepted));
}

async function removeAndTell(
  id: string,
  deps: Omit<IngestDeps, 'pool'>,
  accepted: AbortSignal,
): Promise<boolean> {
  const topics = await topicsOf(id, deps.cache, accepted);
  const existed = await deps.cache.delete(imageKey(id), accepted);
  await deps.cache.delete(partialKey(id), accepted);
  if (existed) {
    const data = { id, topics };
    await deps.announce({ name: 'image.deleted', kind: 'final', data, thumbnail: '', bodyKey: '' });
  }
  return existed;
}

/** Who followed it by a topic of its producer is told too; nobody is, where no tier can say which they were. */
async function topicsOf(id: string, cache: Cache, signal: AbortSignal): Promise<readonly string[]> {
  const known = cache.peek(imageKey(id)) ?? (await cache.find(imageKey(id), signal).catch(() => undefined));
  return known?.entry.topics ?? [];
}

function checkUpload(upload: Upload): void {
  checkImageId(upload.id);
  checkTopics(upload.topics);
  if (upload.eventName !== undefined) checkEventName(upload.eventName);
  const { ttlS, partialIndex } = upload;
  if (ttlS !== undefined && !(ttlS >= TTL_S_MIN && ttlS <= TTL_S_MAX)) {
    throw new AppError('query_invalid', `ttl is seconds, from ${TTL_S_MIN} to ${TTL_S_MAX}.`);
  }
  if (
    partialIndex !== undefined &&
    !(Number.isInteger(partialIndex) && partialIndex >= 0 && partialIndex <= PARTIAL_INDEX_MAX)
  ) {
    throw new AppError('query_invalid', `partial is a whole number from 0 to ${PARTIAL_INDEX_MAX}.`);
  }
}

function checkTopics(topics: readonly string[]): void {
  if (topics.length > TOPICS_PER_IMAGE_MAX) {
    throw new AppError('topic_invalid', `An image has at most ${TOPICS_PER_IMAGE_MAX} topics.`);
  }
  for (const topic of topics) checkTopic(topic);
}

function describe(upload: Upload, image: IngestResult, nowMs: number): Entry {
  const isPartial = upload.partialIndex !== undefined;
  const topics = [...new Set([...upload.topics, ...(image.envelope.topics ?? [])])];
  checkTopics(topics);
  const ttlS = isPartial ? PARTIAL_TTL_S : (upload.ttlS ?? image.envelope.ttlS);
  const { width, height, frames, thumbhash, thumbnail } = image;
  return {
    key: isPartial ? partialKey(upload.id) : imageKey(upload.id),
    mime: image.mime,
    version: image.version,
    bytes: image.bytes.byteLength,
    storedAtMs: nowMs,
    expiresAtMs: ttlS === undefined ? 0 : nowMs + Math.round(ttlS * 1000),
    image: { width, height, frames, thumbhash, thumbnail },
    topics,
    ...(image.envelope.meta === undefined ? {} : { meta: image.envelope.meta }),
  };
}

function addressOf(upload: Upload, version: string, publicBaseUrl: string): string {
  const partial = upload.partialIndex === undefined ? '' : '&partial=1';
  return `${publicBaseUrl}${imagePath(upload.id)}?v=${version}${partial}`;
}

function announcement(upload: Upload, entry: Entry, url: string): EventDraft {
  const isPartial = upload.partialIndex !== undefined;
  const { image } = entry;
  return {
    name: upload.eventName ?? (isPartial ? 'image.partial' : 'image.ready'),
    kind: isPartial ? 'partial' : 'final',
    data: {
      id: upload.id,
      version: entry.version,
      mime: entry.mime,
      bytes: entry.bytes,
      width: image?.width ?? 0,
      height: image?.height ?? 0,
      topics: entry.topics ?? [],
      full: url,
      thumbhash: image?.thumbhash ?? '',
      ...(upload.partialIndex === undefined ? {} : { partial_index: upload.partialIndex }),
      ...(entry.meta === undefined ? {} : { meta: entry.meta }),
    },
    thumbnail: image?.thumbnail ?? '',
    bodyKey: entry.key,
  };
}
