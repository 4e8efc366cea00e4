import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AppError } from '../../src/errors.ts';
import { createImageQueryReader, type ImageQuery } from '../../src/http/image-target.ts';

const RUNS = { numRuns: 3000, seed: 9 };
const read = createImageQueryReader([64, 128]);

function outcome(query: string): ImageQuery | string {
  try {
    return read(query);
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
}

const text = fc.oneof(
  fc.string({ maxLength: 600 }),
  fc.string({ unit: 'binary', maxLength: 100 }),
  fc.stringMatching(/^(w=\d{0,3}&?|v=[a-f0-9]{0,8}&?|partial&?|%[0-9a-f]{0,2}|format=auto&?){0,6}$/),
);

test('a query means the same every time it is read, kept or not, and only two refusals are possible', () => {
  fc.assert(
    fc.property(text, (query) => {
      const first = outcome(query);
      expect(outcome(query)).toEqual(first);
      if (typeof first === 'string') expect(['query_invalid', 'size_unlisted']).toContain(first);
      else expect(query.length).toBeLessThanOrEqual(512);
    }),
    RUNS,
  );
});

test('of however many different ones it keeps a thousand', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5000 }), (count) => {
      const queries = Array.from({ length: count }, (_, index) => `v=${count}x${index}`);
      const first = queries.map((query) => read(query));
      // From the last on: reading a forgotten one anew may make it forget.
      const kept = first
        .toReversed()
        .findIndex((known, back) => read(queries[count - 1 - back] ?? '') !== known);
      expect(kept === -1 ? count : kept).toBeLessThanOrEqual(1024);
    }),
    { numRuns: 50, seed: 10 },
  );
});
