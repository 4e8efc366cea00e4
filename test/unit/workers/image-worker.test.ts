import { transferableSymbol, valueSymbol } from 'piscina';
import { describe, expect, it } from 'vitest';
import type { IngestJob, RenderJob } from '../../../src/pool/job.ts';
import { runJob } from '../../../workers/image-worker.ts';
import * as images from '../../fixtures/images.ts';

const BOUNDS = { limits: { imageBytes: 1 << 20, pixels: 1_000_000 }, timeoutS: 10 };

function ingestJob(bytes: Uint8Array): IngestJob {
  return { kind: 'ingest', form: 'raw', body: new Uint8Array(bytes), ...BOUNDS };
}

function jobOf(source: ArrayBuffer | SharedArrayBuffer) {
  return { kind: 'render', source, sourceBytes: source.byteLength, webpEffort: 0, ...BOUNDS } as const;
}

describe('runJob', () => {
  it('moves the bytes of its result instead of copying them', async () => {
    const job = ingestJob(await images.png());
    const reply = await runJob(job);
    expect(reply).toMatchObject({
      [transferableSymbol]: [job.body.buffer],
      [valueSymbol]: { kind: 'ingest' },
    });
  });

  it('answers a refusal as data, with the reason of the decoder for the log only', async () => {
    const damaged = (await images.png()).slice();
    for (let at = 0; at < 60; at += 1) damaged[(damaged.byteLength >> 1) + at] = (at * 37) & 0x7f;
    expect(await runJob(ingestJob(damaged))).toEqual({
      kind: 'refused',
      code: 'image_unreadable',
      detail: 'The bytes start like an image but do not decode as one.',
      reason: expect.stringContaining('png'),
    });
  });

  it('answers an oddity of its own as internal, not as a crash', async () => {
    // A job of another version of the pool: not to be had through its types.
    const job = { ...ingestJob(await images.png()), form: 'smoke signals' } as unknown as IngestJob;
    expect(await runJob(job)).toMatchObject({ kind: 'refused', code: 'internal' });
  });

  it('keeps nothing of what it refused or rendered from', async () => {
    const refused = ingestJob(new Uint8Array(1000));
    await runJob(refused);
    expect(refused.body.byteLength).toBe(0);
    const variant = {
      width: 64,
      height: 0,
      fit: 'inside',
      format: 'webp',
      quality: 0,
      animated: true,
    } as const;
    const source = images.bufferOf(await images.png());
    const render: RenderJob = { ...jobOf(source), variant };
    await runJob(render);
    expect(source.byteLength).toBe(0);
  });
});
