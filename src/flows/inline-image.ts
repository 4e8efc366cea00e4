/**
 * The image of an event as bytes small enough to travel inside it: the original where it fits, else the
 * largest rendering that does. Asked only where somebody follows with inline=full.
 */
import type { Cache } from '../cache/lookup.ts';
import { isWhole } from '../core/entry.ts';
import type { ImageEvent } from '../core/event.ts';
import type { ImagePool } from '../pool/image-pool.ts';

export interface InlineImage {
  readonly mime: string;
  readonly bytes: Uint8Array;
}

export interface InlineDeps {
  readonly cache: Cache;
  readonly pool: Pick<ImagePool, 'fit'>;
}

/** Undefined: the image is gone, was replaced since, or no rendering is small enough. */
export async function inlineImage(
  event: ImageEvent,
  bytesMax: number,
  deps: InlineDeps,
  signal: AbortSignal,
): Promise<InlineImage | undefined> {
  if (event.bodyKey === '') return undefined;
  const stored = await deps.cache.find(event.bodyKey, signal);
  if (stored === undefined || stored.entry.version !== event.data.version || !isWhole(stored.body))
    return undefined;
  const { entry, body } = stored;
  if (entry.bytes <= bytesMax) return { mime: entry.mime, bytes: body };
  const rendered = await deps.pool.fit(body, bytesMax, signal);
  return rendered === undefined ? undefined : { mime: rendered.mime, bytes: rendered.bytes };
}
