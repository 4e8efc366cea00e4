import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decide, type Decision } from '../../src/http/conditional.ts';

const RUNS = { numRuns: 2000, seed: 6 };

function rangeOf(range: string, bytes: number): Decision {
  const none = { ifNoneMatch: '', ifModifiedSince: '', ifRange: '' };
  return decide({ ...none, range }, { etag: '"a"', lastModifiedMs: 0, bytes });
}

/** The bytes that RFC 9110 14.1.2 means, by looking at each of them; undefined: the range is not valid. */
function meant(first: number | undefined, last: number | undefined, bytes: number): number[] | undefined {
  if (first === undefined && last === undefined) return undefined;
  if (first !== undefined && last !== undefined && last < first) return undefined;
  const all = Array.from({ length: bytes }, (_, index) => index);
  if (first === undefined) return last === 0 ? [] : all.slice(-(last ?? 0));
  return all.filter((index) => index >= first && (last === undefined || index <= last));
}

test('one range is what the RFC says it is, byte for byte', () => {
  const place = fc.option(fc.nat({ max: 60 }), { nil: undefined });
  fc.assert(
    fc.property(place, place, fc.nat({ max: 50 }), (first, last, bytes) => {
      const decision = rangeOf(`bytes=${first ?? ''}-${last ?? ''}`, bytes);
      const expected = meant(first, last, bytes);
      if (expected === undefined) expect(decision).toEqual({ kind: 'full' });
      else if (expected.length === 0) expect(decision).toEqual({ kind: 'unsatisfiable' });
      else expect(decision).toEqual({ kind: 'partial', from: expected[0], to: expected.at(-1) });
    }),
    RUNS,
  );
});

test('numbers of any length are no danger', () => {
  const digits = fc.stringMatching(/^\d{0,40}$/);
  fc.assert(
    fc.property(digits, digits, fc.nat({ max: 1000 }), (first, last, bytes) => {
      const decision = rangeOf(`bytes=${first}-${last}`, bytes);
      if (decision.kind === 'partial') expect(decision.to).toBeLessThan(bytes);
    }),
    RUNS,
  );
});
