/**
 * Events: what happened to an image, who is told (topics) and where it stands in time (cursor). An
 * event carries references and a tiny thumbnail, never the image's bytes.
 */
import { AppError } from '../errors.ts';
import type { JsonObject } from './json.ts';
import { EVENT_NAME_CHARS_MAX, META_BYTES_MAX } from './limits.ts';

/** What a subscriber reads as `data`, without what its inline mode adds. */
export interface EventData {
  readonly id: string;
  readonly version?: string;
  readonly mime?: string;
  readonly bytes?: number;
  readonly width?: number;
  readonly height?: number;
  /** The producer's topics. */
  readonly topics: readonly string[];
  /** Address of the image; of the partial for a partial. */
  readonly full?: string;
  readonly thumbhash?: string;
  readonly partial_index?: number;
  /** Why an image failed, or why a replay is not whole: a machine code. */
  readonly reason?: string;
  readonly meta?: JsonObject;
}

/**
 * partial: a newer one of the same image replaces it. final: never dropped silently. `deleted` and
 * `failed` are finals too: each ends what is known of an image.
 */
export type EventKind = 'partial' | 'final';

export interface EventDraft {
  readonly name: string;
  readonly kind: EventKind;
  readonly data: EventData;
  /** Base64 WebP, for subscribers that follow with thumbnails; '' when there is none. */
  readonly thumbnail: string;
  /** Key of the bytes in the cache, for subscribers that follow with inline=full; '' when there are none. */
  readonly bodyKey: string;
}

export interface ImageEvent extends EventDraft {
  readonly cursor: string;
  /** Every topic that it is delivered to, `image:{id}` first. */
  readonly topics: readonly string[];
}

const EVENT_NAME = /^[A-Za-z0-9._:-]+$/;
/** Names that this server gives itself; a producer may not. */
const RESERVED: ReadonlySet<string> = new Set([
  'image.partial',
  'image.deleted',
  'image.failed',
  'gap',
  'close',
]);

/** A producer's event name: nothing that could end an SSE field (CWE-93), nothing of the server's own. */
export function checkEventName(name: string): string {
  if (name.length > EVENT_NAME_CHARS_MAX || !EVENT_NAME.test(name) || RESERVED.has(name)) {
    throw new AppError('event_invalid');
  }
  return name;
}

export function checkMeta(meta: JsonObject): JsonObject {
  if (Buffer.byteLength(JSON.stringify(meta)) > META_BYTES_MAX) throw new AppError('event_invalid');
  return meta;
}
