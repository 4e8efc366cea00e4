/**
 * Takes the image out of what another program stored in Redis: small ones here, large ones in a worker,
 * where it costs a transfer instead of this thread's time.
 */
import { createHash } from 'node:crypto';
import { INLINE_DECODE_BYTES_MAX, unwrapImage, type BodyForm } from '../core/envelope.ts';
import { sniffImage } from '../core/sniff.ts';
import { AppError } from '../errors.ts';
import type { ImagePool } from '../pool/image-pool.ts';
import type { ForeignImage, RedisReaderDeps } from '../redis/redis-reader.ts';

export interface ForeignDecoderOptions {
  readonly limitBytes: number;
  /** Whether it is read in order to be announced: its pixels are then looked at in the same trip. */
  readonly isAnnounced: (key: string) => boolean;
}

/** Raw bytes are only hashed: about 0.5 ms a mebibyte. */
const INLINE_RAW_BYTES_MAX = 1024 * 1024;

function decodeHere(body: Uint8Array<ArrayBuffer>, form: BodyForm, limitBytes: number): ForeignImage {
  const { bytes, envelope } = unwrapImage(body, form, limitBytes);
  const mime = sniffImage(bytes);
  if (mime === 'svg') throw new AppError('svg_refused');
  if (mime === undefined) throw new AppError('not_an_image');
  const version = createHash('sha256').update(bytes).digest('hex');
  return { bytes, mime, version, envelope };
}

export function createForeignDecoder(
  pool: Pick<ImagePool, 'ingest' | 'unwrap'>,
  { limitBytes, isAnnounced }: ForeignDecoderOptions,
): RedisReaderDeps['decode'] {
  return async (key, body, form, signal) => {
    const inlineBytesMax = form === 'raw' ? INLINE_RAW_BYTES_MAX : INLINE_DECODE_BYTES_MAX;
    if (body.byteLength <= inlineBytesMax) return decodeHere(body, form, limitBytes);
    if (!isAnnounced(key)) return pool.unwrap(body, form, signal);
    const { bytes, mime, version, envelope, ...facts } = await pool.ingest(body, form, signal);
    const { width, height, frames, thumbhash, thumbnail } = facts;
    return { bytes, mime, version, envelope, image: { width, height, frames, thumbhash, thumbnail } };
  };
}
