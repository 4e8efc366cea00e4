/** If-None-Match, If-Modified-Since and what stands beside them: the answer is the image, or 304. */
import { compose } from '../compose.ts';
import type { Surface } from '../input.ts';
import { harmText } from '../mutate.ts';
import type { Random } from '../random.ts';

const DATES = [
  'Sat, 21 Nov 2026 00:00:00 GMT',
  'Saturday, 21-Nov-26 00:00:00 GMT',
  'Sat Nov 21 00:00:00 2026',
  'Thu, 01 Jan 1970 00:00:00 GMT',
  'Fri, 31 Dec 9999 23:59:59 GMT',
  'Sat, 99 Nov 2026 99:99:99 GMT',
  'Sat, 21 Nov 2026 00:00:00',
  '0',
  '-1',
  '9'.repeat(400),
  '',
] as const;
const NAMES = [
  'If-None-Match',
  'If-None-Match',
  'If-None-Match',
  'If-Modified-Since',
  'If-Match',
  'If-Unmodified-Since',
  'Cache-Control',
  'Pragma',
] as const;

function tags(random: Random, etag: string): string {
  const one = (): string =>
    random.pick([
      etag,
      `W/${etag}`,
      etag.slice(1, -1),
      '"x"',
      '""',
      '*',
      '"',
      'W/',
      '"a,b"',
      '"\u00ff"',
      ' ',
    ]);
  return random.many(0, 40, one).join(random.pick([',', ', ', ' ', ',,']));
}

export const conditions: Surface = {
  name: 'conditions',
  share: 10,
  make(random, corpus) {
    const { id, bytes, etag } = random.pick(corpus.served);
    const headers = random.many(1, 3, (): [string, string] => {
      const value = random.chance(0.7) ? tags(random, etag) : random.pick(DATES);
      // eslint-disable-next-line no-control-regex
      const harmed = harmText(random, value).replace(/[\u0000-\u001f\u007f]/g, ',');
      return [random.pick(NAMES), random.chance(0.2) ? harmed : value];
    });
    const method = random.chance(0.9) ? 'GET' : 'HEAD';
    const writes = [compose({ method, target: `/images/${id}`, headers })];
    return { writes, expects: 'answer', method, source: bytes };
  },
};
