import { createHash } from 'node:crypto';
import sharp from 'sharp';
import { thumbHashToApproximateAspectRatio, thumbHashToAverageRGBA } from 'thumbhash';
import { describe, expect, it } from 'vitest';
import type { BodyForm } from '../../../src/core/envelope.ts';
import { AppError } from '../../../src/errors.ts';
import { ingest, unwrap } from '../../../workers/decode.ts';
import * as images from '../../fixtures/images.ts';

const LIMITS = { imageBytes: 32 << 20, pixels: 50_000_000 };

function take(body: Uint8Array, form: BodyForm = 'raw', limits = LIMITS) {
  return ingest({ kind: 'ingest', form, body: new Uint8Array(body), limits, timeoutS: 10 });
}

async function codeOf(body: Uint8Array, form: BodyForm = 'raw', limits = LIMITS): Promise<string> {
  try {
    await take(body, form, limits);
    return 'taken';
  } catch (error) {
    return error instanceof AppError ? error.code : String(error);
  }
}

const text = (value: string) => new TextEncoder().encode(value);

describe('ingest', () => {
  it.each([
    ['image/png', images.png, 320, 240, 1],
    ['image/jpeg', images.jpeg, 320, 240, 1],
    ['image/jpeg', images.progressiveJpeg, 320, 240, 1],
    ['image/webp', images.webp, 320, 240, 1],
    ['image/avif', images.avif, 320, 240, 1],
    ['image/gif', images.gif, 64, 48, 1],
    ['image/gif', images.animatedGif, 60, 40, 4],
    ['image/webp', images.animatedWebp, 60, 40, 4],
    ['image/png', images.alphaPng, 320, 240, 1],
    ['image/png', images.grey16Png, 64, 64, 1],
    ['image/jpeg', images.cmykJpeg, 64, 64, 1],
    ['image/png', images.onePixelPng, 1, 1, 1],
  ])('takes %s byte for byte and measures it (%#)', async (mime, make, width, height, frames) => {
    const bytes = await make();
    const result = await take(bytes);
    expect(result).toMatchObject({ kind: 'ingest', mime, width, height, frames, envelope: {} });
    expect(Buffer.compare(result.bytes, bytes)).toBe(0);
    expect(result.version).toBe(createHash('sha256').update(bytes).digest('hex'));
  });

  it('gives a raw body back in the very buffer that it came in', async () => {
    const body = new Uint8Array(await images.png());
    const result = await ingest({ kind: 'ingest', form: 'raw', body, limits: LIMITS, timeoutS: 10 });
    expect(result.bytes.buffer).toBe(body.buffer);
  });

  it('takes a body for what it is, also where its buffer is larger', async () => {
    const png = await images.png();
    const body = new Uint8Array(new ArrayBuffer(png.byteLength + 2), 0, png.byteLength);
    body.set(png);
    const result = await ingest({ kind: 'ingest', form: 'raw', body, limits: LIMITS, timeoutS: 10 });
    expect(result.bytes.byteLength).toBe(png.byteLength);
    expect(result.version).toBe(createHash('sha256').update(png).digest('hex'));
  });

  it('gives the same version for raw bytes, base64, a data URL and JSON', async () => {
    const png = await images.png();
    const base64 = Buffer.from(png).toString('base64');
    const forms: readonly (readonly [Uint8Array, BodyForm])[] = [
      [png, 'raw'],
      [text(base64), 'base64'],
      [text(`data:image/png;base64,${base64}`), 'data-url'],
      [text(JSON.stringify({ base64_data: base64, topics: ['job:1'] })), 'json'],
    ];
    const results = await Promise.all(forms.map(([body, form]) => take(body, form)));
    expect(new Set(results.map((result) => result.version)).size).toBe(1);
    expect(results.every((result) => result.bytes.buffer.byteLength === png.byteLength)).toBe(true);
    expect(results[3]?.envelope).toEqual({ topics: ['job:1'] });
  });

  it('reports the size as displayed and previews it upright', async () => {
    const result = await take(await images.rotatedJpegWithGps());
    expect(result).toMatchObject({ width: 240, height: 320 });
    const thumbnail = Buffer.from(result.thumbnail, 'base64');
    expect(await sharp(thumbnail).metadata()).toMatchObject({ format: 'webp', width: 48, height: 64 });
    const ratio = thumbHashToApproximateAspectRatio(Buffer.from(result.thumbhash, 'base64'));
    expect(ratio).toBeLessThan(1);
  });

  it('makes a WebP thumbnail of at most 64 px without metadata', async () => {
    const result = await take(await images.photoPng());
    const metadata = await sharp(Buffer.from(result.thumbnail, 'base64')).metadata();
    expect(metadata).toMatchObject({ format: 'webp', width: 64, height: 64, hasProfile: false });
    expect(result.thumbnail.length).toBeLessThan(4000);
  });

  it('keeps alpha in both previews', async () => {
    const result = await take(await images.alphaPng());
    expect((await sharp(Buffer.from(result.thumbnail, 'base64')).metadata()).hasAlpha).toBe(true);
    expect(thumbHashToAverageRGBA(Buffer.from(result.thumbhash, 'base64')).a).toBeLessThan(0.7);
  });

  it.each([
    ['8', images.displayP3Png],
    ['16', images.deepDisplayP3Png],
  ])('previews Display P3 of %s bits as the sRGB that it means', async (_bits, make) => {
    const result = await take(await make());
    const { r, g, b } = thumbHashToAverageRGBA(Buffer.from(result.thumbhash, 'base64'));
    expect([r > 0.97, g < 0.05, b < 0.05]).toEqual([true, true, true]);
  });

  it.each([
    ['an empty body', 'body_empty', new Uint8Array(0)],
    ['text', 'not_an_image', text('I am a PNG, believe me')],
    ['SVG', 'svg_refused', text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')],
    ['a bare PNG signature', 'image_truncated', Uint8Array.from([137, 80, 78, 71, 13, 10, 26, 10])],
  ])('refuses %s with %s', async (_what, code, body) => {
    expect(await codeOf(body)).toBe(code);
  });

  it('refuses an empty image inside an envelope or a data URL', async () => {
    expect(await codeOf(text('data:image/png;base64,'), 'data-url')).toBe('body_empty');
    expect(await codeOf(text('{"data":"data:image/png;base64,"}'), 'json')).toBe('body_empty');
  });

  it.each([
    ['png', images.png],
    ['jpeg', images.jpeg],
    ['progressive jpeg', images.progressiveJpeg],
    ['large png', images.photoPng],
    ['webp', images.webp],
    ['avif', images.avif],
    ['gif', images.gif],
    ['animated gif', images.animatedGif],
    ['animated webp', images.animatedWebp],
  ])('refuses a %s that is cut off, by that name', async (_format, make) => {
    const whole = await make();
    for (const share of [0.1, 0.5, 0.9, 0.99]) {
      expect(await codeOf(images.cut(whole, Math.floor(whole.byteLength * share)))).toBe('image_truncated');
    }
    expect(await codeOf(images.cut(whole, whole.byteLength - 1))).toBe('image_truncated');
  });

  it.each([
    ['png', images.png],
    ['avif', images.avif],
    ['gif', images.gif],
  ])('refuses a %s whose pixels are damaged', async (_format, make) => {
    const damaged = (await make()).slice();
    const middle = damaged.byteLength >> 1;
    for (let at = 0; at < 60; at += 1) damaged[middle + at] = (at * 37) & 0x7f;
    expect(await codeOf(damaged)).toMatch(/^image_(unreadable|truncated)$/);
  });

  it.each([
    ['png', images.png, 30],
    ['jpeg', images.jpeg, 24],
    ['webp', images.webp, 16],
    ['gif', images.gif, 13],
  ])('refuses a %s of which only the start is an image', async (_format, make, kept) => {
    const start = (await make()).subarray(0, kept);
    const noise = Uint8Array.from({ length: 4000 }, (_, at) => (at * 97 + (at >> 3)) & 255);
    expect(await codeOf(new Uint8Array([...start, ...noise]))).toMatch(/^image_(unreadable|truncated)$/);
  });

  it('refuses sixty megapixels by the header alone', async () => {
    const before = process.memoryUsage().rss;
    expect(await codeOf(await images.sixtyMegapixelPng())).toBe('image_too_many_pixels');
    expect(process.memoryUsage().rss - before).toBeLessThan(30 << 20);
  });

  it.each([
    ['width', 100_000_001, 1],
    ['height', 1, 0x7fffffff],
  ])('is not told one pixel by an AVIF whose %s libvips cannot hold', async (_side, width, height) => {
    const bytes = Buffer.from(await images.largeAvif());
    const at = bytes.indexOf('ispe');
    bytes.writeUInt32BE(width, at + 8);
    bytes.writeUInt32BE(height, at + 12);
    const before = process.memoryUsage().rss;
    const limits = { ...LIMITS, pixels: 2_000_000 };
    expect(await codeOf(bytes, 'raw', limits)).toBe('image_too_many_pixels');
    expect(process.memoryUsage().rss - before).toBeLessThan(30 << 20);
  });

  it('counts the pixels of every frame', async () => {
    const limits = { ...LIMITS, pixels: 60 * 40 * 4 };
    expect(await codeOf(await images.animatedGif(), 'raw', limits)).toBe('taken');
    const tighter = { ...LIMITS, pixels: 60 * 40 * 4 - 1 };
    expect(await codeOf(await images.animatedGif(), 'raw', tighter)).toBe('image_too_many_pixels');
    expect(await codeOf(await images.animatedWebp(), 'raw', tighter)).toBe('image_too_many_pixels');
  });

  it('refuses an image over the byte limit, however it is wrapped', async () => {
    const png = await images.png();
    const limits = { ...LIMITS, imageBytes: png.byteLength - 1 };
    const json = text(JSON.stringify({ data: Buffer.from(png).toString('base64') }));
    expect(await codeOf(png, 'raw', limits)).toBe('image_too_large');
    expect(await codeOf(json, 'json', limits)).toBe('image_too_large');
  });
});

describe('unwrap', () => {
  const lift = (body: Uint8Array, form: BodyForm) =>
    unwrap({ kind: 'unwrap', form, body: new Uint8Array(body), limits: LIMITS });

  it('takes an image out of its form and names it, and says nothing of its pixels', async () => {
    const image = Buffer.from(await images.webp());
    const body = text(JSON.stringify({ data: image.toString('base64'), topics: ['a'] }));
    const { bytes, ...rest } = await lift(body, 'json');
    expect(Buffer.from(bytes).equals(image)).toBe(true);
    expect(rest).toEqual({
      kind: 'unwrap',
      mime: 'image/webp',
      version: createHash('sha256').update(image).digest('hex'),
      envelope: { topics: ['a'] },
    });
  });

  it.each([
    ['not_an_image', text('aGVsbG8gd29ybGQ='), 'base64'],
    ['svg_refused', text('<svg xmlns="http://www.w3.org/2000/svg"/>'), 'raw'],
    ['base64_invalid', text('{"data":"%%%%"}'), 'json'],
  ] as const)('refuses what is none: %s', async (code, body, form) => {
    await expect(lift(body, form)).rejects.toMatchObject({ code });
  });
});
