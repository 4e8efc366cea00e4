/** What inputs are mutated from: a small image of each format, the ones that the server has, its tokens. */
import { createHash } from 'node:crypto';
import {
  animatedWebp,
  avif,
  cut,
  gif,
  jpeg,
  onePixelPng,
  picture,
  png,
  progressiveJpeg,
  webp,
} from '../fixtures/images.ts';

export type Format = 'png' | 'jpeg' | 'webp' | 'gif' | 'avif';

export interface Sample {
  readonly format: Format;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface Served {
  readonly id: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly etag: string;
}

export interface Corpus {
  readonly samples: readonly [Sample, ...Sample[]];
  /** In the server before the first input, and never changed. */
  readonly served: readonly [Served, ...Served[]];
  readonly writeToken: string;
  readonly adminToken: string;
}

export const WRITE_TOKEN = 'fuzz-write-token';
export const ADMIN_TOKEN = 'fuzz-admin-token';

async function small(encode: 'png' | 'jpeg' | 'webp' | 'gif' | 'avif'): Promise<Uint8Array<ArrayBuffer>> {
  const options = encode === 'avif' ? { effort: 0 } : {};
  return new Uint8Array(await picture(24, 16).toFormat(encode, options).toBuffer());
}

export async function makeCorpus(): Promise<Corpus> {
  const formats = ['png', 'jpeg', 'webp', 'gif', 'avif'] as const;
  const tiny = await Promise.all(formats.map(async (format) => ({ format, bytes: await small(format) })));
  const samples: [Sample, ...Sample[]] = [
    { format: 'png', bytes: await onePixelPng() },
    ...tiny,
    { format: 'webp', bytes: await animatedWebp() },
    { format: 'jpeg', bytes: await progressiveJpeg() },
  ];
  const whole = [await png(), await jpeg(), await webp(), await gif(), await avif()];
  const [first, ...rest] = whole.map((bytes, at) => ({
    id: `served/${at}`,
    bytes: cut(bytes, bytes.length),
    etag: `"${createHash('sha256').update(bytes).digest('hex')}"`,
  }));
  if (first === undefined) throw new Error('there is no image to serve');
  return { samples, served: [first, ...rest], writeToken: WRITE_TOKEN, adminToken: ADMIN_TOKEN };
}
