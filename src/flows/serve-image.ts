/**
 * The story of an image going out: find it, choose the rendering, find or make that. `serveHot` is the
 * same story where everything lies in memory: it answers without a promise, and is the hit path.
 */
import type { Cache, Found, Hot } from '../cache/lookup.ts';
import type { Entry } from '../core/entry.ts';
import { imageKey, partialKey, variantKey } from '../core/keys.ts';
import { canonicalVariant, chooseVariant, type Variant, type VariantRequest } from '../core/variant.ts';
import { AppError } from '../errors.ts';
import { findOrMiss } from './find-or-miss.ts';
import { renderFound, renderLarge, type RenderDeps } from './render-variant.ts';

export interface ImageRequest {
  readonly id: string;
  /** The newest partial instead of the final image. */
  readonly partial: boolean;
  readonly variant: VariantRequest | undefined;
  /** The Accept header; read only where the format is `auto`. */
  readonly accept: string;
}

/** Asks for leave before work that costs: a lookup below memory, a rendering. It may throw. */
export type Spend = (kind: 'misses' | 'renders') => void;

/** Runs one piece of work per key at a time; everybody who asks meanwhile gets its result. */
export type Coalesce = (
  key: string,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<Found>,
) => Promise<Found>;

export interface ServeDeps extends RenderDeps {
  readonly coalesceRenders: Coalesce;
}

/** A rendering that waits for its turn holds its original only up to this; a larger one is found anew. */
const WAITING_SOURCE_BYTES_MAX = 1024 * 1024;
/** Of an image that an origin sent: nobody has looked at it yet. */
const UNKNOWN_SIZE = { width: Number.POSITIVE_INFINITY, height: Number.POSITIVE_INFINITY };

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
  spend: Spend = () => undefined,
): Promise<Found> {
  const admitMiss = (): void => spend('misses');
  const source = await deps.cache.find(
    request.partial ? partialKey(request.id) : imageKey(request.id),
    signal,
    admitMiss,
  );
  if (source === undefined) throw new AppError('image_not_found');
  if (request.variant === undefined) return source;
  const variant = decideVariant(request, request.variant, source.entry, deps.cache);
  const key = variantKey(request.id, source.entry.version, canonicalVariant(variant));
  const made = await findOrMiss(key, deps.cache, signal, admitMiss);
  if (made !== undefined) return made;
  spend('renders');
  const { entry } = source;
  const held = entry.bytes <= WAITING_SOURCE_BYTES_MAX ? source : undefined;
  return deps.coalesceRenders(key, signal, async (shared) => {
    // Made since we looked, by a flight that has landed.
    const again = deps.cache.has(key) ? await findOrMiss(key, deps.cache, shared) : undefined;
    if (again !== undefined) return again;
    if (held !== undefined) return renderFound(key, held, variant, deps, shared);
    return renderLarge(key, entry, variant, deps, shared);
  });
}

function decideVariant(request: ImageRequest, wanted: VariantRequest, source: Entry, cache: Cache): Variant {
  const { image, mime, version } = source;
  const animated = image === undefined ? mime === 'image/gif' : image.frames > 1;
  const { width, height } = image ?? UNKNOWN_SIZE;
  return chooseVariant(wanted, { mime, animated, width, height }, request.accept, (variant) =>
    cache.has(variantKey(request.id, version, canonicalVariant(variant))),
  );
}
