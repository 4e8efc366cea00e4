/**
 * How many pixels a rendering will have, before any is decoded: an encoder holds all of them at about
 * nineteen bytes each, so a small address could otherwise ask for a gigabyte.
 */
import type { Variant } from '../src/core/variant.ts';
import { AppError } from '../src/errors.ts';
import type { Header } from './open-image.ts';

/** 4096 x 4096: some 320 MB in the encoder. */
export const RENDERED_PIXELS_MAX = 4096 * 4096;

function scaleOf(variant: Variant, width: number, height: number): number {
  const across = variant.width === 0 ? 1 : variant.width / width;
  const down = variant.height === 0 ? 1 : variant.height / height;
  return Math.min(1, across, down);
}

/** AppError image_too_many_pixels, with what to ask for instead. */
export function checkOutputPixels(header: Header, variant: Variant, animated: boolean): void {
  const { width, height } = header.autoOrient;
  const frames = animated ? (header.pages ?? 1) : 1;
  const frameHeight = header.pageHeight ?? height;
  const isExact = variant.width !== 0 && variant.height !== 0 && variant.fit !== 'inside';
  const scale = scaleOf(variant, width, frameHeight);
  const pixels = isExact ? variant.width * variant.height : width * frameHeight * scale * scale;
  if (pixels * frames <= RENDERED_PIXELS_MAX) return;
  throw new AppError(
    'image_too_many_pixels',
    `A rendering has at most ${RENDERED_PIXELS_MAX} pixels, all frames counted: ask for a smaller size.`,
  );
}
