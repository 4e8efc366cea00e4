/**
 * The largest WebP under a byte limit, for events that carry their image inline. One decode; the sizes
 * are searched by halves (bytes grow with size), so thirteen sizes cost four encodes.
 */
import sharp, { type OutputInfo } from 'sharp';
import type { FitJob, RenderResult } from '../src/pool/job.ts';
import { openImage, outputOf, readForRender } from './open-image.ts';
import { RENDERED_PIXELS_MAX } from './output-size.ts';
import { releaseBuffer } from './release-buffer.ts';
import { describe } from './render.ts';

const QUALITY = 80;
const EFFORT = 2;

/** Sizes worth trying, descending: those above the image itself would all give the image itself. */
function usefulSizes(sizes: readonly number[], longerSide: number): readonly number[] {
  const below = sizes.filter((size) => size < longerSide);
  return below.length < sizes.length ? [longerSide, ...below] : below;
}

export async function fit(job: FitJob): Promise<RenderResult> {
  const largest = job.sizes[0] ?? 0;
  const source = new Uint8Array(job.source, 0, job.sourceBytes);
  const header = await readForRender(source, RENDERED_PIXELS_MAX);
  const { bytes, info } = await outputOf(
    openImage(source, header, { ...job, animated: false })
      .resize(largest, largest, { fit: 'inside', withoutEnlargement: true })
      .raw(),
  );
  try {
    return await largestThatFits(bytes, info, job);
  } finally {
    releaseBuffer(bytes.buffer);
  }
}

async function largestThatFits(pixels: Uint8Array, shape: OutputInfo, job: FitJob): Promise<RenderResult> {
  const { width, height, channels } = shape;
  const sizes = usefulSizes(job.sizes, Math.max(width, height));
  let best: RenderResult | undefined;
  // Invariant: sizes before `from` are too large, sizes from `to` on are no better than `best`.
  let from = 0;
  let to = sizes.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    const side = sizes[middle] ?? 0;
    const output = await outputOf(
      sharp(pixels, { raw: { width, height, channels } })
        .resize(side, side, { fit: 'inside', withoutEnlargement: true })
        .webp({ quality: QUALITY, effort: EFFORT })
        .timeout({ seconds: job.timeoutS }),
    );
    if (output.bytes.byteLength <= job.bytesMax) {
      best = describe(output, 'image/webp');
      to = middle;
    } else {
      from = middle + 1;
    }
  }
  return best ?? nothing();
}

function nothing(): RenderResult {
  const bytes = new Uint8Array(0);
  return { kind: 'render', bytes, mime: 'image/webp', version: '', width: 0, height: 0, frames: 0 };
}
