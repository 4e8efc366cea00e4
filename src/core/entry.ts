/**
 * What is kept: an entry (everything known of some bytes) and its body. Every tier, the origin and
 * every flow speak in these; none of them knows which namespace a key belongs to.
 */
import type { JsonObject } from './json.ts';

/** What is known of an image besides its bytes; absent for values that are no image. */
export interface ImageFacts {
  readonly width: number;
  readonly height: number;
  /** 1 for a still image. */
  readonly frames: number;
  /** Base64 of the thumbhash (about 25 bytes): https://evanw.github.io/thumbhash/ */
  readonly thumbhash: string;
  /** Base64 of a WebP of at most 64 x 64 pixels, a few hundred bytes. */
  readonly thumbnail: string;
}

export interface Entry {
  readonly key: string;
  /** Of the bytes, never of a header. */
  readonly mime: string;
  /** Lowercase hex sha-256 of the body: the strong ETag. */
  readonly version: string;
  readonly bytes: number;
  readonly storedAtMs: number;
  /** 0: never. */
  readonly expiresAtMs: number;
  readonly image?: ImageFacts;
  /** Of a variant: the key of the image that it was rendered from, so that it goes when that goes. */
  readonly parent?: string;
  /** Version of the parent's bytes; present with `parent`. */
  readonly parentVersion?: string;
  /** The producer's topics, without `image:{id}`. */
  readonly topics?: readonly string[];
  readonly meta?: JsonObject;
  /** Of bytes that came from an origin; absent for what was put here. */
  readonly origin?: OriginMark;
  /** The version names these bytes, but is not their digest: they passed through and were never held whole. */
  readonly undigested?: true;
}

/** What the origin called these bytes, and until when that is trusted without asking again. */
export interface OriginMark {
  readonly etag: string;
  readonly freshUntilMs: number;
  /** Until then they may be served while the origin fails. */
  readonly staleUntilMs: number;
}

/** Bytes that are too many to hold: read in pieces, each time from the start of the range. */
export interface BodyStream {
  /**
   * Bytes `from` to `to` (both inclusive), in order. Throws before the first piece if the bytes are
   * not there any more. Its resources are freed when the iteration ends, however it ends.
   */
  read(from: number, to: number, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

export interface Stored {
  readonly entry: Entry;
  readonly body: Uint8Array | BodyStream;
}

export function isExpired(entry: Pick<Entry, 'expiresAtMs'>, nowMs: number): boolean {
  return entry.expiresAtMs !== 0 && entry.expiresAtMs <= nowMs;
}

/** Whether the origin should be asked if the bytes are still the same. */
export function needsRevalidation(entry: Entry, nowMs: number): boolean {
  return entry.origin !== undefined && entry.origin.freshUntilMs <= nowMs;
}

export function isWhole(body: Uint8Array | BodyStream): body is Uint8Array {
  return body instanceof Uint8Array;
}
