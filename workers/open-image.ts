/**
 * The one way to hand bytes to sharp: bounded, single threaded, uncached, only the loaders of the
 * formats that are taken in, and every failure of the decoder turned into a code of ours.
 */
import sharp, { type Metadata, type OutputInfo, type Sharp } from 'sharp';
import { sniffImage } from '../src/core/sniff.ts';
import { AppError, type ErrorCode } from '../src/errors.ts';
import type { DecodeLimits } from '../src/pool/job.ts';
import { hasReadableSize } from './avif-size.ts';
import { plainHeaderOf } from './plain-header.ts';

// libvips' operation cache keeps decoded images of clients who are long gone; parallelism comes from
// the pool's threads, not from inside one image.
sharp.cache(false);
sharp.concurrency(1);
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({
  operation: [
    'VipsForeignLoadJpeg',
    'VipsForeignLoadPng',
    'VipsForeignLoadWebp',
    'VipsForeignLoadHeif',
    'VipsForeignLoadNsgif',
  ],
});

/** What is to be known of an image before it is rendered. */
export type Header = Pick<
  Metadata,
  'format' | 'depth' | 'hasProfile' | 'pages' | 'pageHeight' | 'autoOrient'
> & {
  /** Set where nothing was opened: the decoder may not find more pixels than these. */
  readonly pixelsMax?: number;
};

export interface OpenOptions {
  readonly limits: DecodeLimits;
  readonly timeoutS: number;
  readonly animated: boolean;
}

export interface Output {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly info: OutputInfo;
}

/** The image, upright and in sRGB; sharp drops its metadata unless told otherwise. */
export function openImage(bytes: Uint8Array, header: Header, options: OpenOptions): Sharp {
  const { pixels } = options.limits;
  const image = sharp(bytes, {
    animated: options.animated,
    // What browsers show with a grumble is taken; what ends early or does not decode is not.
    failOn: 'error',
    limitInputPixels: Math.min(pixels, header.pixelsMax ?? pixels),
  })
    .timeout({ seconds: options.timeoutS })
    .autoOrient();
  // Sharp takes 16-bit pixels through Display P3 and would leave them there, with no profile to say so.
  const isDeep = header.depth === 'ushort' && header.hasProfile;
  return isDeep ? image.withIccProfile('srgb', { attach: false }) : image;
}

/**
 * As much of the header as a rendering needs. Nothing is opened for it where the first bytes say enough, which
 * is so up to `pixelsMax` of what is rendered: below, it does not matter which side is the longer one.
 */
export async function readForRender(bytes: Uint8Array, pixelsMax: number): Promise<Header> {
  const plain = plainHeaderOf(bytes, sniffImage(bytes));
  if (plain === undefined || plain.width * plain.height > pixelsMax) return readHeader(bytes);
  const { format, width, height } = plain;
  const shape = { autoOrient: { width, height }, pixelsMax: width * height } as const;
  // A profile is of interest only where pixels are deep.
  return { format, depth: 'uchar', hasProfile: false, ...shape };
}

/** Header only: no pixel is decoded, so the limit is for the caller to apply. */
export async function readHeader(bytes: Uint8Array): Promise<Metadata> {
  if (sniffImage(bytes) === 'image/avif' && !hasReadableSize(bytes)) {
    throw new AppError('image_too_many_pixels', 'A side of the image is longer than any decoder takes.');
  }
  return decoding(sharp(bytes, { failOn: 'error', limitInputPixels: false }).metadata());
}

/** Messages of libvips and its loaders, as far as they tell the caller something of use. */
const KNOWN: readonly (readonly [RegExp, ErrorCode, string | undefined])[] = [
  [/exceeds pixel limit/i, 'image_too_many_pixels', undefined],
  [/premature end|unexpected end|out of data/i, 'image_truncated', undefined],
  [/timeout/i, 'worker_timeout', undefined],
  [
    /too large for the/i,
    'image_too_many_pixels',
    'A side is longer than this format can hold: ask for a size, or for another format.',
  ],
];

/** Awaits sharp. What it says of the bytes becomes an AppError; its own words stay in the cause. */
async function decoding<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const message = error instanceof Error ? error.message : '';
    const row = KNOWN.find(([pattern]) => pattern.test(message));
    throw new AppError(row?.[1] ?? 'image_unreadable', row?.[2], error);
  }
}

/**
 * What comes out of it, in an ArrayBuffer that can be transferred: a copy, as sharp's own cannot be. Its
 * toUint8Array can, but never frees what it was copied from (0.35.5: arguments of FreeCallback swapped).
 */
export async function outputOf(image: Sharp): Promise<Output> {
  const { data, info } = await decoding(image.toBuffer({ resolveWithObject: true }));
  return { bytes: new Uint8Array(data), info };
}
