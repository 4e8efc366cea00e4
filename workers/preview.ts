/** The two previews that every image gets, thumbhash and 64 px WebP, from one decode of its first frame. */
import sharp, { type Metadata } from 'sharp';
import { rgbaToThumbHash } from 'thumbhash';
import { openImage, outputOf, type OpenOptions } from './open-image.ts';

/** Of both: thumbhash takes up to 100, and keeps no detail that 64 would lose. */
const SIDE = 64;
const THUMBNAIL_QUALITY = 60;

export interface Previews {
  /** Base64, both. */
  readonly thumbhash: string;
  readonly thumbnail: string;
}

export async function makePreviews(
  bytes: Uint8Array,
  header: Metadata,
  options: Omit<OpenOptions, 'animated'>,
): Promise<Previews> {
  const small = await outputOf(
    openImage(bytes, header, { ...options, animated: false })
      .resize(SIDE, SIDE, { fit: 'inside', withoutEnlargement: true })
      .ensureAlpha()
      .raw(),
  );
  const { width, height } = small.info;
  const thumbnail = await sharp(small.bytes, { raw: { width, height, channels: 4 } })
    .webp({ quality: THUMBNAIL_QUALITY, effort: 4 })
    .toBuffer();
  return {
    thumbhash: Buffer.from(rgbaToThumbHash(width, height, small.bytes)).toString('base64'),
    thumbnail: thumbnail.toString('base64'),
  };
}
