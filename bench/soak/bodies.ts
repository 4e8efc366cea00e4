/** The images of a run: good ones of every format and size, and bad ones, each with its digest. Made once. */
import { createHash } from 'node:crypto';
import sharp from 'sharp';
import { makePhoto } from '../make-photo.ts';
import { makePng, noise } from '../make-png.ts';

export interface Body {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly mime: string;
  readonly hash: string;
}

export interface Bodies {
  readonly good: readonly Body[];
  readonly byHash: ReadonlyMap<string, Body>;
  readonly bad: readonly Uint8Array<ArrayBuffer>[];
}

const KIB = 1024;
/** Of noise, which stays as large as it is: small ones most, as in life. */
const NOISE_KIB = [2, 2, 4, 4, 8, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512];

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function toBody(bytes: Uint8Array, mime: string): Body {
  return { bytes: new Uint8Array(bytes), mime, hash: sha256(bytes) };
}

/** The same pixels in each format that is taken. */
async function formatsOf(side: number, seed: number): Promise<Body[]> {
  const photo = sharp(await makePhoto(side, 'png', seed));
  return [
    toBody(await photo.clone().jpeg().toBuffer(), 'image/jpeg'),
    toBody(await photo.clone().webp().toBuffer(), 'image/webp'),
    toBody(await photo.clone().gif().toBuffer(), 'image/gif'),
    toBody(await photo.clone().avif({ effort: 0 }).toBuffer(), 'image/avif'),
  ];
}

async function animation(): Promise<Body> {
  const [width, height, frames] = [60, 40, 4];
  const raw = { width, height: height * frames, channels: 3, pageHeight: height } as const;
  const pixels = noise(width * height * frames * 3, 5);
  return toBody(
    await sharp(pixels, { raw })
      .gif({ delay: [100, 100, 100, 100] })
      .toBuffer(),
    'image/gif',
  );
}

function poisoned(good: readonly Body[]): Uint8Array<ArrayBuffer>[] {
  const text = (from: string): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(from));
  const broken = good.slice(0, 40).map(({ bytes }, at) => {
    const copy = bytes.slice();
    // The magic stays: what is broken is inside.
    copy.set(noise(Math.min(400, copy.length >> 1), at + 1), copy.length >> 2);
    return copy;
  });
  return [
    ...good.slice(0, 40).map(({ bytes }) => bytes.slice(0, bytes.length >> 1)),
    ...broken.filter((_, at) => good[at]?.mime === 'image/png'),
    text('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'),
    text('not an image'),
    new Uint8Array(noise(5000, 9)),
  ];
}

export async function makeBodies(): Promise<Bodies> {
  const noises = NOISE_KIB.map((kib, at) => toBody(makePng(kib * KIB, at + 1), 'image/png'));
  const photos = [
    toBody(await makePhoto(800, 'png', 3), 'image/png'),
    toBody(await makePhoto(640, 'jpeg', 4), 'image/jpeg'),
  ];
  const large = [toBody(makePng(1500 * KIB, 31), 'image/png'), toBody(makePng(3000 * KIB, 32), 'image/png')];
  const good = [
    ...noises,
    ...(await formatsOf(200, 1)),
    ...(await formatsOf(320, 2)),
    await animation(),
    ...photos,
    ...large,
  ];
  return { good, byHash: new Map(good.map((body) => [body.hash, body])), bad: poisoned(good) };
}
