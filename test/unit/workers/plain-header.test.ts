import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { sniffImage } from '../../../src/core/sniff.ts';
import { openImage, outputOf, readForRender } from '../../../workers/open-image.ts';
import { plainHeaderOf } from '../../../workers/plain-header.ts';
import * as images from '../../fixtures/images.ts';

const PIXELS_MAX = 1_000_000;
const OPTIONS = { limits: { imageBytes: 1 << 20, pixels: PIXELS_MAX }, timeoutS: 10, animated: false };

function plain(bytes: Uint8Array) {
  return plainHeaderOf(bytes, sniffImage(bytes));
}

/** The segment put right behind the start of the image. */
function withSegment(jpeg: Uint8Array, segment: readonly number[]): Uint8Array {
  return new Uint8Array([...jpeg.subarray(0, 2), ...segment, ...jpeg.subarray(2)]);
}

describe('plain header', () => {
  it.each([
    ['a PNG', images.png],
    ['a PNG with alpha', images.alphaPng],
    ['a PNG with a profile', images.displayP3Png],
    ['a PNG of one pixel', images.onePixelPng],
    ['a JPEG', images.jpeg],
    ['a progressive JPEG', images.progressiveJpeg],
    ['a JPEG on its side, with GPS', images.rotatedJpegWithGps],
    ['a JPEG in CMYK', images.cmykJpeg],
  ])('says of %s what the decoder says', async (_name, make) => {
    const bytes = await make();
    const { format, width, height, depth, pages } = await sharp(bytes).metadata();
    expect(plain(bytes)).toEqual({ format, width, height });
    expect([depth, pages]).toEqual(['uchar', undefined]);
  });

  it.each([
    ['deep pixels', images.deepDisplayP3Png],
    ['deep grey', images.grey16Png],
    ['a GIF', images.animatedGif],
    ['a WebP', images.animatedWebp],
    ['an AVIF', images.avif],
    ['half a header of a PNG', async () => images.cut(await images.png(), 30)],
    ['half a header of a JPEG', async () => images.cut(await images.jpeg(), 100)],
    ['a JPEG with bytes between its segments', async () => withSegment(await images.jpeg(), [0, 0])],
    [
      'a JPEG with a segment that nobody knows',
      async () => withSegment(await images.jpeg(), [0xff, 0xc8, 0, 2]),
    ],
    [
      'a JPEG of a thousand comments',
      async () =>
        withSegment(await images.jpeg(), Array.from({ length: 1000 }, () => [0xff, 0xfe, 0, 2]).flat()),
    ],
  ])('leaves %s to the decoder', async (_name, make) => {
    expect(plain(await make())).toBeUndefined();
  });

  it('is not gone by where it matters which side is the longer one', async () => {
    const bytes = await images.rotatedJpegWithGps();
    expect((await readForRender(bytes, 320 * 240)).pixelsMax).toBe(320 * 240);
    const { pixelsMax, autoOrient } = await readForRender(bytes, 320 * 240 - 1);
    expect([pixelsMax, autoOrient.width, autoOrient.height]).toEqual([undefined, 240, 320]);
  });

  it('binds the decoder: where it finds more pixels than were read, nothing is decoded', async () => {
    const bytes = await images.png();
    const header = await readForRender(bytes, PIXELS_MAX);
    const small = { ...header, pixelsMax: 320 * 240 - 1 };
    await expect(outputOf(openImage(bytes, small, OPTIONS).png())).rejects.toMatchObject({
      code: 'image_too_many_pixels',
    });
    expect((await outputOf(openImage(bytes, header, OPTIONS).png())).info.width).toBe(320);
  });
});
