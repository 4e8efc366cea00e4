/** JSON bodies: names, types, depth, escapes, and texts that are no JSON at all. */
import type { Corpus } from '../corpus.ts';
import type { Surface } from '../input.ts';
import { harm } from '../mutate.ts';
import type { Random } from '../random.ts';
import { uploadInput } from '../upload.ts';

const NAMES = [
  'base64_data',
  'b64_json',
  'image_data',
  'data',
  'mime_type',
  'topics',
  'ttl',
  'meta',
  'id',
  'partial',
  'event',
  '__proto__',
  'constructor',
  'toString',
  '',
] as const;
const TEXTS = [
  '',
  'a',
  'job:1',
  'image/png',
  'image/svg+xml',
  'x'.repeat(700),
  '\0',
  '\r\ndata: x',
  '\ud800',
  '../../etc/passwd',
  '<script>',
] as const;

/** JSON text, built by hand where JSON.stringify would be too kind. */
function value(random: Random, depth: number): string {
  switch (random.int(0, depth > 3 ? 5 : 8)) {
    case 0:
      return String(random.edge());
    case 1:
      return random.pick(['-0', '1e999', '-1e-999', '0.1', '1E400', '01', '+1', '.5', 'NaN', 'Infinity']);
    case 2:
      return random.pick(['true', 'false', 'null', 'undefined']);
    case 3:
    case 4:
      return JSON.stringify(random.pick(TEXTS));
    case 5:
      return random.pick(['"\\u0000"', '"\\ud800"', '"\\x"', '"', '"\\', `"${'\\u0041'.repeat(20)}"`]);
    case 6:
    case 7:
      return `[${random.many(0, 20, () => value(random, depth + 1)).join(',')}]`;
    default:
      return object(random, '', depth + 1);
  }
}

function object(random: Random, first: string, depth: number): string {
  const fields = random.many(0, 5, () => `${JSON.stringify(random.pick(NAMES))}:${value(random, depth)}`);
  const all = first === '' ? fields : [first, ...fields];
  return `{${all.join(random.pick([',', ',', ',', ', ', ',,']))}}`;
}

function nested(random: Random): string {
  const depth = random.pick([10, 1000, 20_000]);
  const [open, close] = random.pick([
    ['[', ']'],
    ['{"a":', '}'],
  ] as const);
  const inner = open === '[' ? '' : '1';
  return `${open.repeat(depth)}${inner}${random.chance(0.5) ? close.repeat(depth) : ''}`;
}

function text(random: Random, corpus: Corpus): string {
  const image = Buffer.from(random.pick(corpus.samples).bytes).toString('base64');
  const name = random.pick(['base64_data', 'b64_json', 'image_data', 'data']);
  const field = `"${name}":"${image}"`;
  if (random.chance(0.05)) return `{${field},"meta":${nested(random)}}`;
  return random.chance(0.1) ? value(random, 0) : object(random, random.chance(0.7) ? field : '', 0);
}

export const envelopes: Surface = {
  name: 'envelopes',
  share: 8,
  make(random, corpus, index) {
    const bytes = Buffer.from(`${random.chance(0.05) ? '\ufeff' : ''}${text(random, corpus)}`);
    const body = random.chance(0.2) ? harm(random, bytes) : bytes;
    const type = random.pick([
      'application/json',
      'application/json',
      'application/json; charset=utf-16',
      'APPLICATION/JSON;',
      'text/json',
    ]);
    return uploadInput(random, corpus, index, { body, type });
  },
};
