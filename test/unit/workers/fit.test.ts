import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { fit } from '../../../workers/fit.ts';
import * as images from '../../fixtures/images.ts';

const LIMITS = { imageBytes: 32 << 20, pixels: 50_000_000 };
const SIZES = [2048, 1024, 768, 512, 384, 256, 128, 64];

function fitInto(source: Uint8Array, bytesMax: number) {
  const job = { kind: 'fit', bytesMax, sizes: SIZES, limits: LIMITS, timeoutS: 10 } as const;
  return fit({ ...job, source: images.bufferOf(source), sourceBytes: source.byteLength });
}

describe('fit', () => {
  it('finds the largest rendering that fits', async () => {
    const source = await images.photoPng();
    const result = await fitInto(source, 20_000);
    expect(result.bytes.byteLength).toBeLessThanOrEqual(20_000);
    expect(result).toMatchObject({ mime: 'image/webp', frames: 1 });
    const next = SIZES[SIZES.indexOf(result.width) - 1] ?? 0;
    const larger = await sharp(source).resize(next, next).webp({ quality: 80, effort: 2 }).toBuffer();
    expect(larger.byteLength).toBeGreaterThan(20_000);
  });

  it('gives the whole size when that fits, and never more than that', async () => {
    expect(await fitInto(await images.photoPng(), 10_000_000)).toMatchObject({ width: 1024, height: 1024 });
    expect(await fitInto(await images.png(), 10_000_000)).toMatchObject({ width: 320, height: 240 });
    expect(await fitInto(await images.onePixelPng(), 10_000_000)).toMatchObject({ width: 1, height: 1 });
  });

  it('gives nothing when not even the smallest fits', async () => {
    expect((await fitInto(await images.photoPng(), 100)).bytes.byteLength).toBe(0);
  });

  it('gives the first frame of an animation, upright and with its alpha', async () => {
    expect(await fitInto(await images.animatedGif(), 100_000)).toMatchObject({ width: 60, height: 40 });
    expect(await fitInto(await images.rotatedJpegWithGps(), 100_000)).toMatchObject({
      width: 240,
      height: 320,
    });
    const withAlpha = await fitInto(await images.alphaPng(), 100_000);
    expect((await sharp(withAlpha.bytes).metadata()).hasAlpha).toBe(true);
  });
});
