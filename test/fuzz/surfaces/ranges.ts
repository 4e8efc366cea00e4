/** Range and If-Range on images whose bytes are known: what comes must be a part of them. */
import { compose } from '../compose.ts';
import type { Surface } from '../input.ts';
import { harmText } from '../mutate.ts';
import type { Random } from '../random.ts';

function position(random: Random, length: number): string {
  if (random.chance(0.2)) return '';
  if (random.chance(0.2)) return String(random.edge());
  return String(random.int(0, length + 2));
}

function rangeOf(random: Random, length: number): string {
  const unit = random.pick(['bytes', 'bytes', 'bytes', 'bytes', 'Bytes', 'items', '']);
  const one = (): string => `${position(random, length)}-${position(random, length)}`;
  const specs = random.chance(0.8) ? [one()] : random.many(0, 30, one);
  const text = `${unit}=${specs.join(random.pick([',', ', ', ' ,']))}`;
  // eslint-disable-next-line no-control-regex
  return random.chance(0.2) ? harmText(random, text).replace(/[\u0000-\u001f\u007f]/g, '-') : text;
}

export const ranges: Surface = {
  name: 'ranges',
  share: 10,
  make(random, corpus) {
    const { id, bytes, etag } = random.pick(corpus.served);
    const headers: [string, string][] = [['Range', rangeOf(random, bytes.length)]];
    if (random.chance(0.3)) {
      const date = 'Sat, 21 Nov 2026 00:00:00 GMT';
      headers.push(['If-Range', random.pick([etag, `W/${etag}`, '"x"', date, '', '*', `${etag}, ${etag}`])]);
    }
    if (random.chance(0.1)) headers.push(['Range', rangeOf(random, bytes.length)]);
    const method = random.chance(0.9) ? 'GET' : 'HEAD';
    const writes = [compose({ method, target: `/images/${id}`, headers })];
    return { writes, expects: 'answer', method, source: bytes };
  },
};
