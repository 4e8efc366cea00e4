/**
 * What an image URL asks for. Query texts recur (a UI asks for the same few sizes), so their parsed
 * form is kept: a hit then parses nothing.
 */
import { checkImageId } from '../core/image-id.ts';
import { SIGNATURE_PARAMETER } from '../core/signature.ts';
import { parseVariant, type VariantRequest } from '../core/variant.ts';
import { AppError } from '../errors.ts';

export interface ImageQuery {
  readonly variant: VariantRequest | undefined;
  /** '' when the URL names none. */
  readonly version: string;
  readonly partial: boolean;
  /** It carries a signature, which nobody has checked yet. */
  readonly signed: boolean;
}

const PLAIN: ImageQuery = { variant: undefined, version: '', partial: false, signed: false };
const KEPT_QUERIES_MAX = 1024;
const QUERY_CHARS_MAX = 512;

/** A reader of query texts; AppError query_invalid or size_unlisted. */
export function createImageQueryReader(sizes: readonly number[]): (query: string) => ImageQuery {
  const listed = new Set(sizes);
  const kept = new Map<string, ImageQuery>();
  return (query) => {
    if (query === '') return PLAIN;
    const known = kept.get(query);
    if (known !== undefined) return known;
    if (query.length > QUERY_CHARS_MAX) throw new AppError('query_invalid', 'The query is too long.');
    const parameters = new URLSearchParams(query);
    const signed = parameters.has(SIGNATURE_PARAMETER);
    const parsed: ImageQuery = {
      variant: parseVariant(parameters, signed ? 'any' : listed),
      version: parameters.get('v') ?? '',
      partial: parameters.has('partial'),
      signed,
    };
    // Strangers choose these texts: start over rather than grow.
    if (kept.size >= KEPT_QUERIES_MAX) kept.clear();
    kept.set(query, parsed);
    return parsed;
  };
}

/** What follows `prefix` in a path, percent-decoded and checked; AppError image_id_invalid. */
export function imageIdOf(path: string, prefix: string): string {
  return checkImageId(decodeTail(path, prefix));
}

/** What follows `prefix` in a path, percent-decoded. */
export function decodeTail(path: string, prefix: string): string {
  const tail = path.slice(prefix.length);
  if (!tail.includes('%')) return tail;
  try {
    return decodeURIComponent(tail);
  } catch {
    throw new AppError('image_id_invalid', 'The address has a broken percent escape.');
  }
}
