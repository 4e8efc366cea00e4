import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkImageId, imagePath } from '../../src/core/image-id.ts';
import { imageKey, partialKey, valueKey, variantKey } from '../../src/core/keys.ts';
import { AppError } from '../../src/errors.ts';
import { imageIdOf } from '../../src/http/image-target.ts';

const RUNS = { numRuns: 2000, seed: 7 };
const PREFIX = '/images/';

function isId(text: string): boolean {
  try {
    return checkImageId(text) === text;
  } catch (error) {
    if (error instanceof AppError && error.code === 'image_id_invalid') return false;
    throw error;
  }
}

const anyText = fc.oneof(fc.string(), fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }));
const segmented = fc.array(anyText, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
const id = segmented.filter(isId);

test('an id survives its own address', () => {
  fc.assert(
    fc.property(id, (text) => {
      const path = imagePath(text);
      expect(imageIdOf(path, PREFIX)).toBe(text);
      // A URL parser, such as that of a browser, leaves the address as it is.
      expect(new URL(path, 'http://x').pathname).toBe(path);
    }),
    RUNS,
  );
});

test('of any path an id is made or image_id_invalid, nothing else; and an id can be said in a header and a log line', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      try {
        const made = imageIdOf(`${PREFIX}${text}`, PREFIX);
        expect(isId(made)).toBe(true);
        // eslint-disable-next-line no-control-regex
        expect(made).not.toMatch(/[\u0000-\u001f\u007f]/);
        expect(imagePath(made)).toMatch(/^[\x21-\x7e]+$/);
      } catch (error) {
        expect(error).toMatchObject({ code: 'image_id_invalid' });
      }
    }),
    RUNS,
  );
});

test('no id looks like a key of another kind', () => {
  const version = 'a'.repeat(64);
  fc.assert(
    fc.property(id, id, fc.stringMatching(/^w\d+h\d+-inside-webp-q\d+$/), (one, other, variant) => {
      const keys = [imageKey(one), partialKey(one), variantKey(one, version, variant), valueKey(one)];
      expect(new Set(keys).size).toBe(4);
      if (one !== other) expect(keys).not.toContain(variantKey(other, version, variant));
      for (const key of keys.slice(1)) expect(key).not.toBe(imageKey(other));
    }),
    RUNS,
  );
});
