import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { sniffImage, type ImageMime } from '../../../src/core/sniff.ts';
import { isCutOff } from '../../../workers/cut-off.ts';
import * as images from '../../fixtures/images.ts';

function mimeOf(bytes: Uint8Array): ImageMime {
  const mime = sniffImage(bytes);
  if (mime === undefined || mime === 'svg') throw new Error('the fixture is no image');
  return mime;
}

const FIXTURES = [
  ['png', images.png],
  ['jpeg', images.jpeg],
  ['progressive jpeg', images.progressiveJpeg],
  ['jpeg with EXIF', images.rotatedJpegWithGps],
  ['webp', images.webp],
  ['avif', images.avif],
  ['gif', images.gif],
  ['animated gif', images.animatedGif],
  ['animated webp', images.animatedWebp],
] as const;

describe('isCutOff', () => {
  it.each(FIXTURES)('finds a whole %s whole, trailing bytes or not', async (_name, make) => {
    const whole = await make();
    expect(isCutOff(whole, mimeOf(whole))).toBe(false);
    const trailed = new Uint8Array([...whole, 0, 1, 2]);
    expect(isCutOff(trailed, mimeOf(whole))).toBe(false);
  });

  it.each(FIXTURES)('finds %s cut off wherever it is cut', async (_name, make) => {
    const whole = await make();
    const mime = mimeOf(whole);
    const notSeen: number[] = [];
    const step = Math.max(1, Math.floor(whole.byteLength / 1500));
    for (let length = 40; length < whole.byteLength; length += step) {
      if (!isCutOff(images.cut(whole, length), mime)) notSeen.push(length);
    }
    expect(isCutOff(images.cut(whole, whole.byteLength - 1), mime)).toBe(true);
    expect(notSeen).toEqual([]);
  });

  it('is not fooled by the end mark of a thumbnail inside EXIF', async () => {
    const jpeg = await images.jpeg();
    const thumbnail = [0xff, 0xe1, 0x00, 0x08, 0xff, 0xd8, 0xff, 0xd9, 0x00, 0x00];
    const carrier = new Uint8Array([...jpeg.subarray(0, 2), ...thumbnail, ...jpeg.subarray(2)]);
    expect(isCutOff(carrier, 'image/jpeg')).toBe(false);
    expect(isCutOff(images.cut(carrier, carrier.byteLength - 2), 'image/jpeg')).toBe(true);
  });

  it('follows restart markers and fill bytes of a JPEG', async () => {
    const raw = await sharp(await images.png())
      .jpeg({ optimiseScans: true, progressive: true })
      .toBuffer();
    const filled = new Uint8Array([...raw.subarray(0, 2), 0xff, 0xff, ...raw.subarray(2)]);
    expect(isCutOff(filled, 'image/jpeg')).toBe(false);
  });

  it('takes a damaged byte in the pixels of a JPEG for no marker', async () => {
    const jpeg = await images.jpeg();
    const at = jpeg.byteLength - 40;
    const damaged = new Uint8Array([...jpeg.subarray(0, at), 0xff, 0x42, 0x7f, ...jpeg.subarray(at)]);
    expect(isCutOff(damaged, 'image/jpeg')).toBe(false);
  });

  it('ends on any bytes', () => {
    const magics: readonly (readonly [ImageMime, readonly number[]])[] = [
      ['image/png', [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
      ['image/jpeg', [0xff, 0xd8, 0xff]],
      ['image/gif', [0x47, 0x49, 0x46, 0x38, 0x39, 0x61]],
      ['image/webp', [0x52, 0x49, 0x46, 0x46]],
      ['image/avif', [0, 0, 0, 24, 0x66, 0x74, 0x79, 0x70]],
    ];
    for (const [mime, magic] of magics) {
      for (const filler of [0x00, 0x01, 0x21, 0x2c, 0xff]) {
        for (const length of [magic.length, 13, 64, 4096]) {
          const bytes = new Uint8Array(Math.max(length, magic.length)).fill(filler);
          bytes.set(magic);
          expect(typeof isCutOff(bytes, mime)).toBe('boolean');
        }
      }
    }
  });
});
