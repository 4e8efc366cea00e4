/**
 * How a rendering comes about: its original whole in memory, a worker, the cache. Bounds what originals
 * in memory may come to; who asks for which rendering is serve-image's story.
 */
import type { Cache, Found } from '../cache/lookup.ts';
import { isWhole, type Entry, type Stored } from '../core/entry.ts';
import type { Variant } from '../core/variant.ts';
import { AppError } from '../errors.ts';
import type { Gate } from '../pool/gate.ts';
import type { ImagePool } from '../pool/image-pool.ts';

export interface RenderDeps {
  readonly cache: Cache;
  readonly pool: Pick<ImagePool, 'render'>;
  /** How many large originals are in memory at once to be rendered. */
  readonly largeSources: Pick<Gate, 'acquire'>;
  /** Largest original that is read into memory to be rendered. */
  readonly renderSourceBytesMax: number;
}

/** Renders an original that is not held while others have their turn: it is found anew. */
export async function renderLarge(
  key: string,
  known: Entry,
  variant: Variant,
  deps: RenderDeps,
  signal: AbortSignal,
): Promise<Found> {
  const leave = await deps.largeSources.acquire(signal);
  try {
    const source = await deps.cache.find(known.key, signal);
    if (source?.entry.version !== known.version) throw new AppError('body_vanished');
    return await renderFound(key, source, variant, deps, signal);
  } finally {
    leave();
  }
}

export async function renderFound(
  key: string,
  source: Stored,
  variant: Variant,
  deps: RenderDeps,
  signal: AbortSignal,
): Promise<Found> {
  const bytes = await wholeBody(source, deps.renderSourceBytesMax, signal);
  const rendered = await deps.pool.render(bytes, variant, signal);
  const { width, height, frames } = rendered;
  const entry: Entry = {
    key,
    mime: rendered.mime,
    version: rendered.version,
    bytes: rendered.bytes.byteLength,
    storedAtMs: source.entry.storedAtMs,
    expiresAtMs: source.entry.expiresAtMs,
    image: { width, height, frames, thumbhash: '', thumbnail: '' },
    parent: source.entry.key,
    parentVersion: source.entry.version,
  };
  const stored = await keep(entry, source.entry, rendered.bytes, deps.cache, signal);
  return { entry, body: rendered.bytes, steps: [{ tier: 'render', outcome: 'miss', stored }] };
}

/** False: not kept. It is still an answer. */
async function keep(
  entry: Entry,
  source: Entry,
  bytes: Uint8Array,
  cache: Cache,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await cache.put(entry, bytes, signal);
    const current = cache.peek(source.key) ?? (await cache.find(source.key, signal));
    if (current?.entry.version === source.version) return true;
    // The image was deleted or replaced while this was rendered: its renderings were swept away before.
    await cache.delete(entry.key, signal);
    return false;
  } catch {
    return false;
  }
}

async function wholeBody(source: Stored, limitBytes: number, signal: AbortSignal): Promise<Uint8Array> {
  const { entry, body } = source;
  if (isWhole(body)) return body;
  if (entry.bytes > limitBytes) {
    throw new AppError('image_too_large', 'The original is too large to be rendered; ask for it as it is.');
  }
  const whole = new Uint8Array(entry.bytes);
  let offset = 0;
  for await (const piece of body.read(0, entry.bytes - 1, signal)) {
    if (offset + piece.byteLength > entry.bytes) throw new AppError('body_vanished');
    whole.set(piece, offset);
    offset += piece.byteLength;
  }
  if (offset < entry.bytes) throw new AppError('body_vanished');
  return whole;
}
