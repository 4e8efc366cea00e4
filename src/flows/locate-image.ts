/**
 * The story of an operator's question: in which tiers an image lies, as what, until when, which renderings
 * are known, whether a partial waits to be replaced. Moves nothing; the origin is not asked.
 */
import type { Place } from '../cache/locate.ts';
import type { TieredCache } from '../cache/tiered-cache.ts';
import type { Clock } from '../core/clock.ts';
import type { Entry } from '../core/entry.ts';
import { checkImageId, imagePath } from '../core/image-id.ts';
import { imageKey, partialKey } from '../core/keys.ts';
import { AppError } from '../errors.ts';

export interface LocateDeps {
  readonly cache: Pick<TieredCache, 'locate'>;
  readonly clock: Clock;
}

/** An image may have a rendering for each signed address: the first of them show what there is. */
const VARIANTS_MAX = 200;

interface VariantRow {
  readonly variant: string;
  /** The first characters of the version that it was made from. */
  readonly source_version: string;
  readonly bytes: number;
  readonly tiers: string[];
}

const isoOf = (atMs: number): string => new Date(atMs).toISOString();

function describe({ version, mime, bytes, storedAtMs, expiresAtMs }: Entry, nowMs: number) {
  return {
    version,
    mime,
    bytes,
    stored_at: isoOf(storedAtMs),
    expires_at: expiresAtMs === 0 ? null : isoOf(expiresAtMs),
    ttl_s: expiresAtMs === 0 ? null : Math.max(0, Math.round((expiresAtMs - nowMs) / 1000)),
  };
}

function tierRow({ tier, entry, unsure }: Place, nowMs: number) {
  if (entry === undefined) return { tier, present: false, unsure };
  return { tier, present: true, unsure, ...describe(entry, nowMs) };
}

/** `variant:{canonical}:{version}:{id}` in each tier as one row a rendering. */
function variantRows(places: readonly Place[]): readonly VariantRow[] {
  const rows = new Map<string, VariantRow>();
  for (const { tier, children } of places) {
    for (const { key, bytes } of children) {
      const [, variant = '', version = ''] = key.split(':', 3);
      const row = rows.get(key);
      if (row !== undefined) row.tiers.push(tier);
      else rows.set(key, { variant, source_version: version, bytes, tiers: [tier] });
    }
  }
  return [...rows.values()].slice(0, VARIANTS_MAX);
}

/** AppError image_id_invalid; image_not_found when no tier has anything of it. */
export async function locateImage(id: string, deps: LocateDeps, signal: AbortSignal) {
  checkImageId(id);
  const [places, partials] = await Promise.all([
    deps.cache.locate(imageKey(id), signal),
    deps.cache.locate(partialKey(id), signal),
  ]);
  const nowMs = deps.clock.nowMs();
  const variants = variantRows(places);
  const partial = partials.find(({ entry }) => entry !== undefined)?.entry;
  const isSomewhere = places.some(({ entry, unsure }) => entry !== undefined || unsure);
  if (!isSomewhere && partial === undefined && variants.length === 0) {
    throw new AppError('image_not_found', 'No tier has an image of this id; the origin was not asked.');
  }
  return {
    id,
    url: imagePath(id),
    tiers: places.map((place) => tierRow(place, nowMs)),
    variants,
    partial: partial === undefined ? null : describe(partial, nowMs),
  };
}
