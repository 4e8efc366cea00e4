/**
 * The story of an image going out: find it, choose the rendering, find or make that. `serveHot` is the
 * same story where everything lies in memory: it answers without a promise, and is the hit path.
 */
import type { Cache, Found, Hot } from '../cache/lookup.ts';
import { isWhole, type Entry, type Stored } from '../core/entry.ts';
import { imageKey, partialKey, variantKey } from '../core/keys.ts';
import { canonicalVariant, chooseFormat, type Variant, type VariantRequest } from '../core/variant.ts';
import { AppError } from '../errors.ts';
import type { ImagePool } from '../pool/image-pool.ts';

export interface ImageRequest {
  readonly id: string;
  /** The newest partial instead of the final image. */
  readonly partial: boolean;
  readonly variant: VariantRequest | undefined;
  /** The Accept header; read only where the format is `auto`. */
  readonly accept: string;
}

/** Runs one piece of work per key at a time; everybody who asks meanwhile gets its result. */
export type Coalesce = (
  key: string,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<Found>,
) => Promise<Found>;

export interface ServeDeps {
  readonly cache: Cache;
  readonly pool: Pick<ImagePool, 'render'>;
  readonly coalesceRenders: Coalesce;
  /** Largest original that is read into memory to be rendered. */
  readonly renderSourceBytesMax: number;
}

/** The answer, if memory has it; undefined says nothing about the other tiers. Allocates nothing for an original. */
export function serveHot(request: ImageRequest, cache: Cache): Hot | undefined {
  const source = cache.peek(request.partial ? partialKey(request.id) : imageKey(request.id));
  if (source === undefined || request.variant === undefined) return source;
  const variant = decideVariant(request, request.variant, source.entry, cache);
  return cache.peek(variantKey(request.id, source.entry.version, canonicalVariant(variant)));
}

/** The answer from wherever it lies, rendered if need be. AppError image_not_found and every failure of a render. */
export async function serveImage(
  request: ImageRequest,
  deps: ServeDeps,
  signal: AbortSignal,
): Promise<Found> {
  const source = await deps.cache.find(
    request.partial ? partialKey(request.id) : imageKey(request.id),
    signal,
  );
  if (source === undefined) throw new AppError('image_not_found');
  if (request.variant === undefined) return source;
  const variant = decideVariant(request, request.variant, source.entry, deps.cache);
  const key = variantKey(request.id, source.entry.version, canonicalVariant(variant));
  const made = await deps.cache.find(key, signal);
  if (made !== undefined) return made;
  return deps.coalesceRenders(key, signal, async (shared) => render(key, source, variant, deps, shared));
}

function decideVariant(request: ImageRequest, wanted: VariantRequest, source: Entry, cache: Cache): Variant {
  const { image, mime, version } = source;
  const animated = image === undefined ? mime === 'image/gif' : image.frames > 1;
  const pixels = image === undefined ? Number.MAX_SAFE_INTEGER : image.width * image.height;
  return chooseFormat(wanted, { mime, animated, pixels }, request.accept, (variant) =>
    cache.has(variantKey(request.id, version, canonicalVariant(variant))),
  );
}

async function render(
  key: string,
  source: Stored,
  variant: Variant,
  deps: ServeDeps,
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
  // A rendering that could not be kept is still an answer.
  const stored = await deps.cache.put(entry, rendered.bytes, signal).then(
    () => true,
    () => false,
  );
  return { entry, body: rendered.bytes, steps: [{ tier: 'render', outcome: 'miss', stored }] };
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
    whole.set(piece, offset);
    offset += piece.byteLength;
  }
  return whole;
}
