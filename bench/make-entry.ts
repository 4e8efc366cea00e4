/** What the product itself would note of an image that it took in: for filling its tiers without it. */
import { createHash } from 'node:crypto';
import type { Entry } from '../src/core/entry.ts';

/** As long as real ones are. */
const THUMBHASH = 'A'.repeat(32);
const THUMBNAIL = 'A'.repeat(640);

export function makeEntry(key: string, body: Uint8Array, nowMs = Date.now()): Entry {
  return {
    key,
    mime: 'image/png',
    version: createHash('sha256').update(body).digest('hex'),
    bytes: body.byteLength,
    storedAtMs: nowMs,
    expiresAtMs: 0,
    image: { width: 1024, height: 1024, frames: 1, thumbhash: THUMBHASH, thumbnail: THUMBNAIL },
  };
}
