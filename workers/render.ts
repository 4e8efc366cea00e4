/**
 * Renders variants: upright, in sRGB, without metadata, alpha and animation kept where the format can.
 * Pure in its job: the same source and variant give the same bytes.
 */
import { createHash } from 'node:crypto';
import type { Sharp } from 'sharp';
import { qualityOf, type Variant } from '../src/core/variant.ts';
import type { RenderJob, RenderResult } from '../src/pool/job.ts';
import { checkOutputPixels, RENDERED_PIXELS_MAX } from './output-size.ts';
import { openImage, outputOf, readForRender, type Header, type Output } from './open-image.ts';

/** JPEG has no alpha: what was transparent becomes white, as on most pages. */
const OPAQUE = { r: 255, g: 255, b: 255, alpha: 1 };
const TRANSPARENT = { r: 0, g: 0, b: 0, alpha: 0 };

export async function render(job: RenderJob): Promise<RenderResult> {
  const { variant } = job;
  const source = new Uint8Array(job.source, 0, job.sourceBytes);
  const header = await readForRender(source, RENDERED_PIXELS_MAX);
  const animated = keepsAnimation(header, variant);
  checkOutputPixels(header, variant, animated);
  const image = openImage(source, header, { ...job, animated });
  const encoded = encode(resize(image, variant), variant, job.webpEffort);
  return describe(await outputOf(encoded), `image/${variant.format}`);
}

/** Only GIF and WebP: the images of an AVIF collection are no frames. */
function keepsAnimation({ format }: Header, variant: Variant): boolean {
  return variant.animated && variant.format === 'webp' && (format === 'gif' || format === 'webp');
}

function resize(image: Sharp, variant: Variant): Sharp {
  const { width, height, fit, format } = variant;
  if (width === 0 && height === 0) return image;
  return image.resize({
    width: width || undefined,
    height: height || undefined,
    fit,
    // The other fits promise the exact size that was asked for.
    withoutEnlargement: fit === 'inside',
    background: format === 'jpeg' ? OPAQUE : TRANSPARENT,
  });
}

function encode(image: Sharp, variant: Variant, webpEffort: number): Sharp {
  const { format } = variant;
  const quality = qualityOf(variant);
  switch (format) {
    case 'webp':
      return image.webp({ quality, effort: webpEffort });
    case 'avif':
      return image.avif({ quality, effort: 2 });
    case 'jpeg':
      return image.flatten({ background: OPAQUE }).jpeg({ quality });
    case 'png':
      return image.png();
  }
}

export function describe({ bytes, info }: Output, mime: string): RenderResult {
  return {
    kind: 'render',
    bytes,
    mime,
    version: createHash('sha256').update(bytes).digest('hex'),
    width: info.width,
    height: info.pageHeight ?? info.height,
    frames: info.pages ?? 1,
  };
}
