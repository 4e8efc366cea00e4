/**
 * Takes an image in: off its wrapping, its type from its bytes, its size from its header before any
 * pixel is decoded, then whole or refused. Keeps nothing; the bytes go back as they came.
 */
import { createHash } from 'node:crypto';
import type { Metadata } from 'sharp';
import { unwrapImage } from '../src/core/envelope.ts';
import { sniffImage, type ImageMime } from '../src/core/sniff.ts';
import { AppError } from '../src/errors.ts';
import type { DecodeLimits, IngestJob, IngestResult, UnwrapJob, UnwrapResult } from '../src/pool/job.ts';
import { isCutOff } from './cut-off.ts';
import { readHeader } from './open-image.ts';
import { makePreviews } from './preview.ts';
import { releaseBuffer } from './release-buffer.ts';

export async function ingest(job: IngestJob): Promise<IngestResult> {
  const { bytes, envelope } = unwrapImage(job.body, job.form, job.limits.imageBytes);
  try {
    const mime = typeOf(bytes);
    const header = await readHeader(bytes);
    const size = measure(header, job.limits);
    const previews = await makePreviews(bytes, header, job);
    const version = createHash('sha256').update(bytes).digest('hex');
    return { kind: 'ingest', bytes, mime, version, ...size, ...previews, envelope };
  } catch (error) {
    releaseBuffer(bytes.buffer);
    throw error;
  }
}

/** For what is only passed on: a browser decodes it, and nobody waits for that here. */
export async function unwrap(job: UnwrapJob): Promise<UnwrapResult> {
  const { bytes, envelope } = unwrapImage(job.body, job.form, job.limits.imageBytes);
  try {
    const mime = typeOf(bytes);
    const version = createHash('sha256').update(bytes).digest('hex');
    return { kind: 'unwrap', bytes, mime, version, envelope };
  } catch (error) {
    releaseBuffer(bytes.buffer);
    throw error;
  }
}

function typeOf(bytes: Uint8Array): ImageMime {
  if (bytes.byteLength === 0) throw new AppError('body_empty');
  const type = sniffImage(bytes);
  if (type === undefined) throw new AppError('not_an_image');
  if (type === 'svg') throw new AppError('svg_refused');
  if (isCutOff(bytes, type)) throw new AppError('image_truncated');
  return type;
}

/** Width and height as displayed, frames; refuses by the header alone what would be too much to decode. */
function measure(header: Metadata, limits: DecodeLimits) {
  const { width, height } = header.autoOrient;
  const frames = header.pages ?? 1;
  if (width * height * frames > limits.pixels) {
    const shape = `${width} x ${height}${frames > 1 ? ` x ${frames} frames` : ''}`;
    throw new AppError('image_too_many_pixels', `${shape} is over the limit of ${limits.pixels} pixels.`);
  }
  return { width, height, frames };
}
