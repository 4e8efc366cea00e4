import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decide, noneMatchHits, type Conditions } from '../../src/http/conditional.ts';
import { parseHttpDate } from '../../src/http/http-date.ts';

const RUNS = { numRuns: 2000, seed: 5 };

/** Texts that look like the real ones, and texts that do not. */
const header = fc.oneof(
  fc.string({ maxLength: 60 }),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.stringMatching(/^(W\/)?"[a-f]{0,4}"( ?, ?(W\/)?"[a-f]{0,4}"){0,3}$/),
  fc.stringMatching(/^bytes ?= ?\d{0,4} ?- ?\d{0,4}(, ?\d{0,3}-\d{0,3})?$/),
  fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
  fc.constant(''),
);
const conditions: fc.Arbitrary<Conditions> = fc.record({
  ifNoneMatch: header,
  ifModifiedSince: header,
  range: header,
  ifRange: header,
});
const validators = fc.record({
  etag: fc.stringMatching(/^"[a-f]{0,4}"$/),
  lastModifiedMs: fc.nat({ max: 4_102_444_800_000 }),
  bytes: fc.nat({ max: 2000 }),
});

test('whatever is sent, there is a decision, and a range lies within the bytes', () => {
  fc.assert(
    fc.property(conditions, validators, (given, known) => {
      const decision = decide(given, known);
      if (decision.kind !== 'partial') return;
      expect(decision.from).toBeGreaterThanOrEqual(0);
      expect(decision.from).toBeLessThanOrEqual(decision.to);
      expect(decision.to).toBeLessThan(known.bytes);
    }),
    RUNS,
  );
});

test('without conditions the answer is whole, and a tag in any list of tags is found', () => {
  const tag = fc.stringMatching(/^"[!#-~]{0,8}"$/);
  fc.assert(
    fc.property(
      tag,
      fc.array(tag, { maxLength: 4 }),
      fc.nat({ max: 4 }),
      fc.boolean(),
      (own, others, at, weak) => {
        const list = others.toSpliced(at, 0, weak ? `W/${own}` : own);
        expect(noneMatchHits(list.join(', '), own)).toBe(true);
        expect(noneMatchHits(others.join(', '), own)).toBe(others.includes(own));
      },
    ),
    RUNS,
  );
});

test('every date that this server sends is understood, and no other text is a date by accident', () => {
  const seconds = fc.nat({ max: 4_102_444_800 });
  fc.assert(
    fc.property(seconds, (s) => {
      expect(parseHttpDate(new Date(s * 1000).toUTCString())).toBe(s * 1000);
    }),
    RUNS,
  );
  fc.assert(
    fc.property(fc.string({ maxLength: 50 }), (text) => {
      expect(parseHttpDate(text)).toBe(undefined);
    }),
    RUNS,
  );
});
