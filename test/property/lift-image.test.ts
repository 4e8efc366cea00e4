import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unwrapImage } from '../../src/core/envelope.ts';
import { AppError } from '../../src/errors.ts';

const LIMIT = 1 << 20;
/** More white space than is searched for the image: what follows is parsed as a whole. */
const FAR = ' '.repeat(5000);

function outcome(text: string): unknown {
  try {
    const { bytes, envelope } = unwrapImage(new TextEncoder().encode(text), 'json', LIMIT);
    return { base64: Buffer.from(bytes).toString('base64'), envelope };
  } catch (error) {
    return error instanceof AppError ? { code: error.code, detail: error.detail } : error;
  }
}

const image = fc
  .uint8Array({ minLength: 1, maxLength: 60 })
  .map((bytes) => Buffer.from(bytes).toString('base64'));
const field = fc.constantFrom('base64_data', 'b64_json', 'image_data', 'data', 'meta', 'topics', 'prompt');
const text = fc.oneof(
  image,
  image.map((base64) => `data:image/png;base64,${base64}`),
  image.map((base64) => `data:image/svg+xml;base64,${base64}`),
  image.map((base64) => base64.replace('A', ' ')),
  fc.constantFrom('', '"base64_data":"QUJD"', '\\"data\\":\\"QUJD', 'ä"', 'QU\nJD', 'QUJD\u2028'),
);
const value = fc.oneof({ arbitrary: text, weight: 4 }, fc.jsonValue(), fc.dictionary(field, text));
const envelope = fc.array(fc.tuple(field, value), { maxLength: 5 }).map((fields) => {
  // By hand: the same name twice is JSON, too.
  const parts = fields.map(([name, of]) => `${JSON.stringify(name)}: ${JSON.stringify(of)}`);
  return `{${parts.join(', ')}}`;
});
/** As PHP writes it. */
const escaped = envelope.map((json) => json.replaceAll('/', '\\/'));
/** Characters taken out or put in, where a quote or an escape makes another text of it. */
const damaged = fc
  .tuple(envelope, fc.nat(), fc.constantFrom('"', '\\', '\n', ' ', '', '}', ':', '\u0000', 'é'), fc.nat(2))
  .map(([whole, at, put, cut]) => {
    const start = at % (whole.length + 1);
    return whole.slice(0, start) + put + whole.slice(start + cut);
  });

describe('an image lifted out of its envelope', () => {
  it('is what parsing all of the envelope gives, or refused in the same words', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          envelope,
          escaped,
          damaged.filter((json) => json !== ''),
        ),
        (json) => {
          expect(outcome(json)).toEqual(outcome(FAR + json));
        },
      ),
      { numRuns: 3000 },
    );
  });
});
