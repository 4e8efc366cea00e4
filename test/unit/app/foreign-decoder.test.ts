import { describe, expect, it } from 'vitest';
import { createForeignDecoder } from '../../../src/app/foreign-decoder.ts';
import { INLINE_DECODE_BYTES_MAX } from '../../../src/core/envelope.ts';
import { onePixelPng } from '../../fixtures/images.ts';
import { ingestHere, unwrapHere } from '../../fixtures/redis-instance.ts';
import { nobody } from '../../fixtures/signals.ts';

/** An envelope around a PNG that is padded to so many bytes. */
async function envelopeOf(bytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const image = Buffer.concat([await onePixelPng(), Buffer.alloc(bytes)]);
  return new TextEncoder().encode(JSON.stringify({ base64_data: image.toString('base64') }));
}

function open(isAnnounced: boolean) {
  const asked: string[] = [];
  const pool = {
    ingest: async (...job: Parameters<typeof ingestHere>) => {
      asked.push('ingest');
      return ingestHere(...job);
    },
    unwrap: async (...job: Parameters<typeof unwrapHere>) => {
      asked.push('unwrap');
      return unwrapHere(...job);
    },
  };
  const decode = createForeignDecoder(pool, { limitBytes: 4_000_000, isAnnounced: () => isAnnounced });
  return { asked, decode };
}

describe('an image that another program stored', () => {
  it('is taken out of its form where it is, while it is small', async () => {
    const { asked, decode } = open(true);
    expect(await decode('image:x', await envelopeOf(1000), 'json', nobody)).toMatchObject({
      mime: 'image/png',
    });
    expect(asked).toEqual([]);
  });

  it('is taken out by a worker that leaves its pixels alone, where somebody only asks for it', async () => {
    const { asked, decode } = open(false);
    const found = await decode('image:x', await envelopeOf(INLINE_DECODE_BYTES_MAX), 'json', nobody);
    expect(found.mime).toBe('image/png');
    expect(found.image).toBeUndefined();
    expect(asked).toEqual(['unwrap']);
  });

  it('is looked at in the same trip, where it is announced', async () => {
    const { asked, decode } = open(true);
    const found = await decode('image:x', await envelopeOf(INLINE_DECODE_BYTES_MAX), 'json', nobody);
    expect(found.image).toMatchObject({ width: 320, height: 240 });
    expect(asked).toEqual(['ingest']);
  });
});
