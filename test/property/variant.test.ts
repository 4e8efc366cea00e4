import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  canonicalVariant,
  chooseVariant,
  parseVariant,
  qualityOf,
  type Variant,
  type VariantRequest,
  type VariantSource,
} from '../../src/core/variant.ts';
import { AppError } from '../../src/errors.ts';

const RUNS = { numRuns: 3000, seed: 8 };
const SIZES = new Set([64, 128, 256, 512]);

const side = fc.constantFrom(0, 64, 128, 256, 512);
const variant: fc.Arbitrary<Variant> = fc
  .record({
    width: side,
    height: side,
    fit: fc.constantFrom('inside', 'cover', 'contain', 'fill'),
    format: fc.constantFrom('webp', 'avif', 'jpeg', 'png'),
    quality: fc.constantFrom(0, 5, 55, 80, 100),
    animated: fc.boolean(),
  } as const)
  .map((made) => (made.width === 0 || made.height === 0 ? { ...made, fit: 'inside' as const } : made));
const source: fc.Arbitrary<VariantSource> = fc.record({
  mime: fc.constantFrom('image/png', 'image/jpeg', 'image/webp', 'image/avif', 'image/gif'),
  animated: fc.boolean(),
  width: fc.integer({ min: 1, max: 2000 }),
  height: fc.integer({ min: 1, max: 2000 }),
});
const accept = fc.oneof(
  fc.string(),
  fc.constantFrom('', '*/*', 'image/webp', 'image/avif,image/webp', 'image/avif;q=0'),
);

/** All that a worker is told and looks at. */
function work(of: Variant): readonly unknown[] {
  const { width, height, fit, format, animated } = of;
  return [width, height, fit, format, qualityOf(of), format === 'webp' && animated];
}

test('two renderings have one name exactly if a worker would do the same', () => {
  fc.assert(
    fc.property(variant, variant, (one, other) => {
      const same = JSON.stringify(work(one)) === JSON.stringify(work(other));
      expect(canonicalVariant(one) === canonicalVariant(other)).toBe(same);
    }),
    RUNS,
  );
});

test('a name is short, and safe in a key', () => {
  fc.assert(
    fc.property(variant, (one) => {
      expect(canonicalVariant(one)).toMatch(/^[a-z0-9-]{1,60}$/);
    }),
    RUNS,
  );
});

test('of any query there is a rendering from the list, none, or a refusal that says why', () => {
  const value = fc.oneof(
    fc.string({ maxLength: 12 }),
    fc.constantFrom('64', '512', 'webp', 'auto', 'cover', '0', '1'),
  );
  const query = fc.array(fc.tuple(fc.constantFrom('w', 'h', 'fit', 'format', 'q', 'anim', 'x'), value), {
    maxLength: 8,
  });
  fc.assert(
    fc.property(query, (pairs) => {
      let request: VariantRequest | undefined;
      try {
        request = parseVariant(new URLSearchParams(pairs), SIZES);
      } catch (error) {
        expect(error).toBeInstanceOf(AppError);
        return;
      }
      if (request === undefined) return;
      for (const given of [request.width, request.height]) expect(given === 0 || SIZES.has(given)).toBe(true);
      expect(request.quality % 5).toBe(0);
      expect(request.quality).toBeLessThanOrEqual(100);
    }),
    RUNS,
  );
});

test('a choice is one that can be encoded, is never larger than asked, and stays when made again', () => {
  fc.assert(
    fc.property(variant, source, accept, fc.boolean(), (asked, of, accepted, made) => {
      const request: VariantRequest = { ...asked, format: asked.quality === 5 ? 'auto' : asked.format };
      const chosen = chooseVariant(request, of, accepted, () => made);
      expect(['webp', 'avif', 'jpeg', 'png']).toContain(chosen.format);
      expect([0, request.width]).toContain(chosen.width);
      expect([0, request.height]).toContain(chosen.height);
      if (chosen.format === 'avif' && request.format === 'auto') expect(accepted).toContain('image/avif');
      const again = chooseVariant(chosen, of, accepted, () => made);
      expect(canonicalVariant(again)).toBe(canonicalVariant(chosen));
    }),
    RUNS,
  );
});
