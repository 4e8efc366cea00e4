/** Bodies as OpenAI streams images, harmed, and cut into chunks anywhere. */
import { compose, cutAnywhere } from '../compose.ts';
import type { Corpus } from '../corpus.ts';
import { harmImage } from '../harm-image.ts';
import type { Surface } from '../input.ts';
import { harm } from '../mutate.ts';
import type { Random } from '../random.ts';

const PARTIALS = [
  'image_generation.partial_image',
  'image_edit.partial_image',
  'response.image_generation_call.partial_image',
] as const;
const FINALS = ['image_generation.completed', 'image_edit.completed', 'response.output_item.done'] as const;
const OTHERS = ['error', 'response.failed', 'response.created', 'keepalive', '', 'image_generation'] as const;

function imageOf(random: Random, corpus: Corpus): string {
  const sample = random.pick(corpus.samples);
  const bytes = random.chance(0.8) ? sample.bytes : harmImage(random, sample, random.pick(corpus.samples));
  return Buffer.from(bytes).toString('base64');
}

function event(random: Random, corpus: Corpus): string {
  const type = random.pick([
    random.pick(PARTIALS),
    random.pick(PARTIALS),
    random.pick(FINALS),
    random.pick(OTHERS),
  ]);
  const image = imageOf(random, corpus);
  const index = random.chance(0.8) ? random.int(0, 3) : random.edge();
  const data = type.startsWith('response.output')
    ? {
        type,
        output_index: index,
        item: { type: 'image_generation_call', result: image, id: random.pick(['ig', 'ig', 'ih', '']) },
      }
    : { type, b64_json: image, partial_image_b64: image, partial_image_index: index, output_index: 0 };
  const end = random.pick(['\n', '\n', '\n', '\r\n', '\r']);
  const named = random.chance(0.8) ? `event: ${type}${end}` : '';
  const json = JSON.stringify(data);
  const lines = random.chance(0.9) ? `data: ${json}` : `data: ${json.slice(0, 9)}${end}data:${json.slice(9)}`;
  const noise = random.chance(0.1)
    ? random.pick([`: hello${end}`, `retry: x${end}`, `id: \0${end}`, `data${end}`])
    : '';
  return `${named}${noise}${lines}${end}${end}`;
}

export const streams: Surface = {
  name: 'streams',
  share: 5,
  make(random, corpus, index) {
    const text = random.many(0, 4, () => event(random, corpus)).join('');
    const done = random.chance(0.2) ? 'data: [DONE]\n\n' : '';
    const bytes = Buffer.from(`${random.chance(0.05) ? '\ufeff' : ''}${text}${done}`);
    const body = random.chance(0.3) ? harm(random, bytes) : bytes;
    const headers = [
      ['Authorization', `Bearer ${corpus.writeToken}`],
      ['Content-Type', 'text/event-stream'],
    ] as const;
    const target = `/images/st/${index}/stream?ttl=${random.pick(['60', '60', '60', '0', 'x'])}`;
    const whole = compose({ method: 'POST', target, headers, chunks: cutAnywhere(random, body, 12) });
    if (random.chance(0.8)) {
      return { writes: cutAnywhere(random, whole, 4), expects: 'answer', method: 'POST' };
    }
    // The producer goes away in the middle.
    const broken = whole.subarray(0, random.int(0, whole.length - 1));
    return { writes: cutAnywhere(random, broken, 4), expects: 'end', method: 'POST' };
  },
};
