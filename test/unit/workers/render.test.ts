import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { Variant } from '../../../src/core/variant.ts';
import { AppError } from '../../../src/errors.ts';
import { render } from '../../../workers/render.ts';
import * as images from '../../fixtures/images.ts';

const LIMITS = { imageBytes: 32 << 20, pixels: 50_000_000 };
const WEBP_128: Variant = {
  width: 128,
  height: 0,
  fit: 'inside',
  format: 'webp',
  quality: 0,
  animated: true,
};

function make(source: Uint8Array, variant: Partial<Variant>, limits = LIMITS) {
  return render({
    kind: 'render',
    source: images.bufferOf(source),
    sourceBytes: source.byteLength,
    variant: { ...WEBP_128, ...variant },
    webpEffort: 0,
    limits,
    timeoutS: 10,
  });
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'rendered';
  } catch (error) {
    return error instanceof AppError ? error.code : String(error);
  }
}

async function pixelAt(bytes: Uint8Array, left: number, top: number): Promise<number[]> {
  const { data } = await sharp(bytes)
    .extract({ left, top, width: 1, height: 1 })
    .raw()
    .toBuffer({ resolveWithObject: true });
  return [...data];
}

describe('render', () => {
  it('refuses what would hold too many pixels in the encoder, before decoding; a smaller size is fine', async () => {
    const large = images.blackPng(5000, 4000);
    const whole = { width: 0, height: 0 };
    expect(await codeOf(make(large, whole))).toBe('image_too_many_pixels');
    expect(await codeOf(make(large, { width: 8192, height: 0 }))).toBe('image_too_many_pixels');
    expect(await codeOf(make(await images.png(), { width: 8192, height: 8192, fit: 'fill' }))).toBe(
      'image_too_many_pixels',
    );
    expect(await codeOf(make(large, { width: 1024 }))).toBe('rendered');
  });

  it.each(['webp', 'avif', 'jpeg', 'png'] as const)(
    'renders %s, exactly sized and hashed',
    async (format) => {
      const result = await make(await images.png(), { format });
      expect(result).toMatchObject({
        kind: 'render',
        mime: `image/${format}`,
        width: 128,
        height: 96,
        frames: 1,
      });
      expect(result.bytes.byteLength).toBe(result.bytes.buffer.byteLength);
      expect(result.version).toMatch(/^[0-9a-f]{64}$/);
      const metadata = await sharp(result.bytes).metadata();
      expect(metadata).toMatchObject({ width: 128, height: 96, format: format === 'avif' ? 'heif' : format });
    },
  );

  it('gives the same bytes for the same job', async () => {
    const first = await make(await images.png(), {});
    const second = await make(await images.png(), {});
    expect(second.version).toBe(first.version);
  });

  it.each([
    ['inside', 128, 128, 128, 96],
    ['inside', 0, 120, 160, 120],
    ['inside', 2048, 2048, 320, 240],
    ['cover', 128, 128, 128, 128],
    ['contain', 128, 128, 128, 128],
    ['fill', 128, 64, 128, 64],
    ['cover', 512, 512, 512, 512],
  ] as const)('%s %d x %d of 320 x 240 gives %d x %d', async (fit, width, height, outWidth, outHeight) => {
    const result = await make(await images.png(), { fit, width, height });
    expect([result.width, result.height]).toEqual([outWidth, outHeight]);
  });

  it('renders at the size of the source when only a format is asked for', async () => {
    expect(await make(await images.png(), { width: 0 })).toMatchObject({ width: 320, height: 240 });
  });

  it('turns the image upright and drops where it was taken', async () => {
    const source = await images.rotatedJpegWithGps();
    expect((await sharp(source).metadata()).exif).toBeDefined();
    for (const format of ['webp', 'avif', 'jpeg', 'png'] as const) {
      const result = await make(source, { format, width: 120 });
      expect([result.width, result.height]).toEqual([120, 160]);
      const { exif, xmp, iptc, orientation } = await sharp(result.bytes).metadata();
      expect({ exif, xmp, iptc, orientation }).toEqual({});
      expect(Buffer.from(result.bytes).includes('GPS')).toBe(false);
    }
  });

  it('brings Display P3 and CMYK to sRGB and drops the profile', async () => {
    const fromP3 = await make(await images.displayP3Png(), { format: 'png' });
    expect(await pixelAt(fromP3.bytes, 5, 5)).toEqual([255, 0, 0]);
    const fromDeepP3 = await make(await images.deepDisplayP3Png(), { format: 'png' });
    expect(await pixelAt(fromDeepP3.bytes, 5, 5)).toEqual([255, 0, 0]);
    const fromCmyk = await make(await images.cmykJpeg(), { format: 'png' });
    const [red, green] = await pixelAt(fromCmyk.bytes, 5, 5);
    expect([Number(red) > 200, Number(green) < 60]).toEqual([true, true]);
    for (const { bytes } of [fromP3, fromDeepP3, fromCmyk]) {
      expect(await sharp(bytes).metadata()).toMatchObject({
        space: 'srgb',
        hasProfile: false,
        depth: 'uchar',
      });
    }
  });

  it('keeps alpha where the format can, and puts white under it where it cannot', async () => {
    const source = await images.alphaPng();
    for (const format of ['webp', 'avif', 'png'] as const) {
      const result = await make(source, { format });
      expect((await pixelAt(result.bytes, 4, 4))[3]).toBe(0);
    }
    const jpeg = await make(source, { format: 'jpeg' });
    expect(await pixelAt(jpeg.bytes, 4, 4)).toEqual([255, 255, 255]);
  });

  it('pads with nothing, or with white where there is no alpha', async () => {
    const webp = await make(await images.jpeg(), { fit: 'contain', height: 128 });
    expect((await pixelAt(webp.bytes, 64, 1))[3]).toBe(0);
    const jpeg = await make(await images.jpeg(), { fit: 'contain', height: 128, format: 'jpeg' });
    expect(await pixelAt(jpeg.bytes, 64, 1)).toEqual([255, 255, 255]);
  });

  it.each([
    ['gif', images.animatedGif],
    ['webp', images.animatedWebp],
  ])('keeps the frames, delays and loop of an animated %s', async (_format, source) => {
    const result = await make(await source(), { width: 30 });
    expect(result).toMatchObject({ mime: 'image/webp', width: 30, height: 20, frames: 4 });
    expect(await sharp(result.bytes).metadata()).toMatchObject({
      pages: 4,
      delay: [100, 200, 300, 400],
      loop: 3,
    });
  });

  it('gives the first frame where stillness is asked for or the format knows no other', async () => {
    const source = await images.animatedGif();
    expect(await make(source, { animated: false, width: 30 })).toMatchObject({ height: 20, frames: 1 });
    for (const format of ['jpeg', 'png', 'avif'] as const) {
      expect(await make(source, { format, width: 30 })).toMatchObject({ height: 20, frames: 1 });
    }
  });

  it('makes larger bytes of higher quality', async () => {
    const source = await images.png();
    for (const format of ['webp', 'avif', 'jpeg'] as const) {
      const [low, high] = await Promise.all([
        make(source, { format, quality: 10 }),
        make(source, { format, quality: 90 }),
      ]);
      expect(high.bytes.byteLength).toBeGreaterThan(low.bytes.byteLength);
    }
  });

  it('refuses a source over the pixel limit, its frames counted', async () => {
    expect(await codeOf(make(await images.sixtyMegapixelPng(), {}))).toBe('image_too_many_pixels');
    const limits = { ...LIMITS, pixels: 60 * 40 * 3 };
    expect(await codeOf(make(await images.animatedGif(), {}, limits))).toBe('image_too_many_pixels');
  });

  it('says so when a side is longer than the format can hold', async () => {
    const strip = images.blackPng(17_000, 2);
    expect(await codeOf(make(strip, { width: 0 }))).toBe('image_too_many_pixels');
    expect(await codeOf(make(strip, { width: 0, format: 'png' }))).toBe('rendered');
  });

  it('refuses a source that is cut off or no image', async () => {
    const jpeg = await images.jpeg();
    expect(await codeOf(make(images.cut(jpeg, 5000), {}))).toBe('image_truncated');
    expect(await codeOf(make(new TextEncoder().encode('<svg/>'), {}))).toBe('image_unreadable');
  });
});
