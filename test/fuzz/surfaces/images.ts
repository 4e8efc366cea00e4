/** Images of each format, whole and harmed, as raw bytes: what is taken is served as it came. */
import type { Surface } from '../input.ts';
import { harmImage } from '../harm-image.ts';
import { uploadInput } from '../upload.ts';

const TYPES = [
  'image/png',
  'image/jpeg',
  'image/svg+xml',
  'application/octet-stream',
  'application/x-www-form-urlencoded',
  '',
] as const;

export const images: Surface = {
  name: 'images',
  share: 12,
  make(random, corpus, index) {
    const sample = random.pick(corpus.samples);
    const bytes = random.chance(0.1) ? sample.bytes : harmImage(random, sample, random.pick(corpus.samples));
    return uploadInput(random, corpus, index, { body: bytes, type: random.pick(TYPES), bytes });
  },
};
