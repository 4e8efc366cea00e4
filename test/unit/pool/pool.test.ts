import { setMaxListeners } from 'node:events';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Variant } from '../../../src/core/variant.ts';
import type { ImagePool } from '../../../src/pool/image-pool.ts';
import { createImagePool } from '../../../src/pool/pool.ts';
import * as images from '../../fixtures/images.ts';

const VARIANT: Variant = {
  width: 128,
  height: 0,
  fit: 'inside',
  format: 'webp',
  quality: 0,
  animated: true,
};
const never = new AbortController().signal;
setMaxListeners(0, never);

async function refuseLarge(pool: ImagePool): Promise<void> {
  // Above 32 MiB glibc gives freed memory back to the system, where a test can see it.
  const body = new Uint8Array(40 << 20).fill(0x41);
  await expect(pool.ingest(body, 'raw', never)).rejects.toMatchObject({ code: 'image_too_large' });
}

describe('the pool with its own worker', () => {
  let pool: ImagePool;

  beforeAll(() => {
    pool = createImagePool({
      threads: 2,
      queueLimit: 100,
      timeoutMs: 30_000,
      nice: 5,
      limits: { imageBytes: 32 << 20, pixels: 50_000_000 },
      webpEffort: 0,
      sizes: [64, 256, 128],
      workerUrl: new URL('../../../dist/workers/worker-entry.cjs', import.meta.url),
    });
  });

  afterAll(() => pool.close());

  it('takes an image in: the body is given away, the same bytes come back', async () => {
    const png = await images.png();
    const body = new Uint8Array(images.bufferOf(png));
    const result = await pool.ingest(body, 'raw', never);
    expect(body.byteLength).toBe(0);
    expect(Buffer.compare(result.bytes, png)).toBe(0);
    expect(result.bytes.buffer.byteLength).toBe(png.byteLength);
    expect(result).toMatchObject({ mime: 'image/png', width: 320, height: 240 });
  });

  it('takes an envelope in and gives the image alone', async () => {
    const png = await images.png();
    const json = JSON.stringify({ b64_json: Buffer.from(png).toString('base64'), ttl: 5 });
    const result = await pool.ingest(new TextEncoder().encode(json), 'json', never);
    expect(result.bytes.buffer.byteLength).toBe(png.byteLength);
    expect(result.envelope).toEqual({ ttlS: 5 });
  });

  it('renders from a view and leaves its buffer alone', async () => {
    const png = await images.png();
    const shared = new Uint8Array(png.byteLength + 100);
    shared.set(png, 50);
    const source = shared.subarray(50, 50 + png.byteLength);
    const result = await pool.render(source, VARIANT, never);
    expect(Buffer.compare(source, png)).toBe(0);
    expect(result).toMatchObject({ mime: 'image/webp', width: 128, height: 96 });
    expect(result.bytes.buffer.byteLength).toBe(result.bytes.byteLength);
    expect((await sharp(result.bytes).metadata()).format).toBe('webp');
  });

  it('fits an image into a byte limit, or says that it cannot', async () => {
    const png = await images.png();
    const fitted = await pool.fit(png, 100_000, never);
    expect(fitted).toMatchObject({ mime: 'image/webp', width: 256, height: 192 });
    expect(await pool.fit(png, 20, never)).toBeUndefined();
  });

  it('passes refusals on as errors with their code, and keeps its threads', async () => {
    const refused = pool.stats().refused;
    const text = new TextEncoder().encode('not an image');
    await expect(pool.ingest(text, 'raw', never)).rejects.toMatchObject({ code: 'not_an_image' });
    const half = images.cut(await images.jpeg(), 3000);
    await expect(pool.ingest(half, 'raw', never)).rejects.toMatchObject({ code: 'image_truncated' });
    expect(pool.stats()).toMatchObject({ refused: refused + 2, crashes: 0, timeouts: 0 });
  });

  it('gives the memory of bodies that it refused back', async () => {
    await Promise.all([refuseLarge(pool), refuseLarge(pool)]);
    const before = process.memoryUsage().rss;
    for (let round = 0; round < 8; round += 1) await Promise.all([refuseLarge(pool), refuseLarge(pool)]);
    expect(process.memoryUsage().rss - before).toBeLessThan(100 << 20);
  });

  it('runs many at once and gives each caller its own image', async () => {
    const widths = Array.from({ length: 12 }, (_, at) => 20 + at);
    const results = await Promise.all(
      widths.map((width) => pool.ingest(images.blackPng(width, 10), 'raw', never)),
    );
    expect(results.map((result) => result.width)).toEqual(widths);
  });
});
