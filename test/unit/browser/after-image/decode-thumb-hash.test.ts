import { rgbaToThumbHash, thumbHashToRGBA } from 'thumbhash';
import { expect, test } from 'vitest';
import { decodeThumbHash } from '../../../../src/browser/after-image/decode-thumb-hash.ts';

/** A picture with a slope in each channel, so that a mixed-up axis or channel shows. */
function picture(width: number, height: number, alpha: (x: number) => number): Uint8Array {
  const rgba = new Uint8Array(width * height * 4);
  for (let i = 0; i < width * height; i++) {
    const [x, y] = [(i % width) / width, Math.floor(i / width) / height];
    rgba.set([255 * x, 255 * y, 255 * (1 - x) * y, 255 * alpha(x)], i * 4);
  }
  return rgba;
}

const SHAPES = [
  ['landscape', 90, 40, () => 1],
  ['portrait', 30, 100, () => 1],
  ['square', 64, 64, () => 1],
  ['translucent landscape', 80, 50, (x: number) => x],
  ['translucent portrait', 20, 90, (x: number) => x],
] as const;

test.each(SHAPES)(
  'a %s hash gives the pixels that the reference decoder gives',
  (_, width, height, alpha) => {
    const hash = rgbaToThumbHash(width, height, picture(width, height, alpha));
    const reference = thumbHashToRGBA(hash);
    const ours = decodeThumbHash(Buffer.from(hash).toString('base64'));
    expect([ours?.width, ours?.height]).toEqual([reference.w, reference.h]);
    const differences = Array.from(ours?.rgba ?? [], (value, index) =>
      Math.abs(value - (reference.rgba[index] ?? 0)),
    );
    // Rounded instead of cut off: at most one step apart.
    expect(Math.max(...differences)).toBeLessThanOrEqual(1);
  },
);

test('what is no hash is no picture, and no error', () => {
  expect(decodeThumbHash('')).toBeUndefined();
  expect(decodeThumbHash('%%%')).toBeUndefined();
  expect(decodeThumbHash('AAA=')).toBeUndefined();
});
