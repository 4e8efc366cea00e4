import { describe, expect, it } from 'vitest';
import { sniffImage } from '../../../src/core/sniff.ts';
import * as images from '../../fixtures/images.ts';

const text = (value: string) => new TextEncoder().encode(value);

describe('sniffImage', () => {
  it.each([
    ['image/png', images.png],
    ['image/jpeg', images.jpeg],
    ['image/jpeg', images.progressiveJpeg],
    ['image/webp', images.webp],
    ['image/webp', images.animatedWebp],
    ['image/avif', images.avif],
    ['image/gif', images.gif],
    ['image/gif', images.animatedGif],
  ])('knows %s by its bytes (%#)', async (mime, make) => {
    expect(sniffImage(await make())).toBe(mime);
  });

  it('reads at the offset of a view, not of its buffer', async () => {
    const avif = await images.avif();
    const padded = new Uint8Array(avif.byteLength + 7);
    padded.set(avif, 7);
    expect(sniffImage(padded.subarray(7))).toBe('image/avif');
  });

  it.each([
    '<svg xmlns="http://www.w3.org/2000/svg"/>',
    '\uFEFF  <?xml version="1.0"?>\n<!-- a licence -->\n<svg>',
    '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "x.dtd" [<!ENTITY a "b">]><svg >',
    '<x:svg xmlns:x="http://www.w3.org/2000/svg">',
  ])('tells SVG apart, so that it can be refused by name: %s', (source) => {
    expect(sniffImage(text(source))).toBe('svg');
  });

  it.each([
    '',
    'G',
    'GIF88a',
    'hello, I am a PNG',
    '\u0089PN',
    '<html><body><svg></svg></body></html>',
    '{"svg": "<svg>"}',
    'RIFF1234WAVE',
  ])('takes nothing else for an image: %j', (source) => {
    expect(sniffImage(text(source))).toBeUndefined();
  });

  it('takes HEIC for what it is: not AVIF', () => {
    const heic = Uint8Array.from([0, 0, 0, 24, ...text('ftypheic'), 0, 0, 0, 0, ...text('mif1heic')]);
    expect(sniffImage(heic)).toBeUndefined();
  });

  it('takes a generic major brand for AVIF when a compatible brand says so', () => {
    const mif1 = Uint8Array.from([0, 0, 0, 24, ...text('ftypmif1'), 0, 0, 0, 0, ...text('miafavif')]);
    expect(sniffImage(mif1)).toBe('image/avif');
  });
});
