/**
 * A requested rendering: sizes from the list, fit, format, quality. Pure. Two requests that would give
 * the same bytes have the same canonical text, so they share one cache entry.
 */
import { AppError } from '../errors.ts';

export type Fit = 'inside' | 'cover' | 'contain' | 'fill';
export type OutputFormat = 'webp' | 'avif' | 'jpeg' | 'png';

export interface VariantRequest {
  /** 0: follows from the other side. */
  readonly width: number;
  readonly height: number;
  readonly fit: Fit;
  readonly format: OutputFormat | 'auto' | 'source';
  /** 0: the format's default. */
  readonly quality: number;
  /** False: the first frame only. */
  readonly animated: boolean;
}

/** A rendering whose format is decided. */
export interface Variant extends VariantRequest {
  readonly format: OutputFormat;
}

const FITS: ReadonlySet<string> = new Set(['inside', 'cover', 'contain', 'fill']);
const FORMATS: ReadonlySet<string> = new Set(['auto', 'webp', 'avif', 'jpeg', 'png']);
/** Largest side of a rendering: WebP holds 16383, and memory is four bytes a pixel. */
const SIDE_MAX = 8192;
/** Qualities are rounded to this step: twenty renderings of one size at the most. */
const QUALITY_STEP = 5;
/** Up to this many output pixels AVIF is cheap enough to make while the client waits. */
const AVIF_PIXELS_MAX = 256 * 256;

/** `any` is for addresses that somebody signed. */
export type Sizes = ReadonlySet<number> | 'any';

/** A rendering asked for by `w`, `h`, `fit`, `format`, `q`, `anim`; undefined when the original is asked for. */
export function parseVariant(query: URLSearchParams, sizes: Sizes): VariantRequest | undefined {
  const width = parseSide('w', query.get('w'), sizes);
  const height = parseSide('h', query.get('h'), sizes);
  const format = query.get('format') ?? 'source';
  if (format !== 'source' && !isFormat(format)) {
    throw new AppError('query_invalid', 'format is one of auto, webp, avif, jpeg, png.');
  }
  const fit = query.get('fit') ?? 'inside';
  if (!isFit(fit)) throw new AppError('query_invalid', 'fit is one of inside, cover, contain, fill.');
  const quality = parseQuality(query.get('q'));
  const animated = parseFlag('anim', query.get('anim'));
  if (width === 0 && height === 0 && format === 'source' && quality === 0 && animated) return undefined;
  const bothSides = width !== 0 && height !== 0;
  return { width, height, fit: bothSides ? fit : 'inside', format, quality, animated };
}

function isFit(text: string): text is Fit {
  return FITS.has(text);
}

function isFormat(text: string): text is OutputFormat | 'auto' {
  return FORMATS.has(text);
}

function parseSide(name: string, text: string | null, sizes: Sizes): number {
  if (text === null || text === '') return 0;
  const side = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(sizes === 'any' ? side >= 1 && side <= SIDE_MAX : sizes.has(side))) {
    const expected = sizes === 'any' ? `from 1 to ${SIDE_MAX}` : `one of ${[...sizes].join(', ')}`;
    throw new AppError('size_unlisted', `${name} is ${expected}.`);
  }
  return side;
}

function parseQuality(text: string | null): number {
  if (text === null || text === '') return 0;
  const quality = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (quality < 1 || quality > 100) throw new AppError('query_invalid', 'q is a whole number from 1 to 100.');
  return Math.max(QUALITY_STEP, Math.round(quality / QUALITY_STEP) * QUALITY_STEP);
}

function parseFlag(name: string, text: string | null): boolean {
  if (text === null || text === '1') return true;
  if (text === '0') return false;
  throw new AppError('query_invalid', `${name} is 0 or 1.`);
}

const DEFAULT_QUALITY: Readonly<Record<OutputFormat, number>> = { webp: 80, avif: 55, jpeg: 82, png: 0 };

/** What the encoder is told; PNG loses nothing, whatever is asked for. */
export function qualityOf({ format, quality }: Variant): number {
  return format === 'png' ? 0 : quality || DEFAULT_QUALITY[format];
}

export function canonicalVariant(variant: Variant): string {
  const { width, height, fit, format, animated } = variant;
  // Only WebP is rendered with its animation.
  const still = animated || format !== 'webp' ? '' : '-still';
  return `w${width}h${height}-${fit}-${format}-q${qualityOf(variant)}${still}`;
}

/** What decides which rendering a request means. */
export interface VariantSource {
  readonly mime: string;
  readonly animated: boolean;
  /** As displayed; infinite where it is not known. */
  readonly width: number;
  readonly height: number;
}

/** The rendering that a request means; what makes no difference to this image is left out. */
export function chooseVariant(
  request: VariantRequest,
  source: VariantSource,
  accept: string,
  isMade: (variant: Variant) => boolean,
): Variant {
  const fits =
    request.fit === 'inside' &&
    (request.width === 0 || request.width >= source.width) &&
    (request.height === 0 || request.height >= source.height);
  const needed = {
    ...request,
    width: fits ? 0 : request.width,
    height: fits ? 0 : request.height,
    animated: request.animated || !source.animated,
  };
  return chooseFormat(needed, source, accept, isMade);
}

/**
 * The format to render. `auto` takes AVIF only where it is made already or small enough to make now
 * (it costs ten times WebP), else WebP, else what every client reads.
 */
function chooseFormat(
  request: VariantRequest,
  source: VariantSource,
  accept: string,
  isMade: (variant: Variant) => boolean,
): Variant {
  if (request.format !== 'auto') {
    return { ...request, format: request.format === 'source' ? sourceFormat(source.mime) : request.format };
  }
  const avif: Variant = { ...request, format: 'avif' };
  const still = !source.animated || !request.animated;
  if (
    still &&
    accepts(accept, 'image/avif') &&
    (isMade(avif) || outputPixels(request, source) <= AVIF_PIXELS_MAX)
  ) {
    return avif;
  }
  if (accepts(accept, 'image/webp')) return { ...request, format: 'webp' };
  return { ...request, format: source.mime === 'image/jpeg' ? 'jpeg' : 'png' };
}

/** Formats that a UI cannot get back (GIF) become WebP, which keeps their animation and alpha. */
function sourceFormat(mime: string): OutputFormat {
  if (mime === 'image/jpeg') return 'jpeg';
  if (mime === 'image/png') return 'png';
  if (mime === 'image/avif') return 'avif';
  return 'webp';
}

/** Of what is rendered at the most: `inside` may be smaller in one direction. */
function outputPixels({ width, height }: VariantRequest, source: VariantSource): number {
  if (width === 0 && height === 0) return source.width * source.height;
  if (width !== 0 && height !== 0) return width * height;
  const ratio = source.width / source.height;
  return width === 0 ? height * height * ratio : (width * width) / ratio;
}

/** Whether an Accept header names the type, with a weight above zero. `a wildcard` does not count: old clients send it. */
function accepts(accept: string, mime: string): boolean {
  for (const range of accept.split(',')) {
    const [type, ...parameters] = range.split(';');
    if (type?.trim().toLowerCase() !== mime) continue;
    return !parameters.some((parameter) => /^\s*q\s*=\s*0(\.0*)?\s*$/i.test(parameter));
  }
  return false;
}
