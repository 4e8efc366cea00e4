import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createSseParser } from '../../src/core/sse-parser.ts';

const line = fc
  .string({ unit: 'binary', maxLength: 20 })
  .filter((text) => !/[\r\n]/.test(text) && text.isWellFormed());

test('a stream cut at any bytes gives the same events as in one piece', () => {
  const event = fc.record({ name: line, data: fc.array(line, { minLength: 1, maxLength: 3 }) });
  const cuts = fc.array(fc.nat(500), { maxLength: 20 });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 5 }), cuts, (events, places) => {
      const text = events
        .map(({ name, data }) => `event: ${name}\n${data.map((part) => `data: ${part}\n`).join('')}\n`)
        .join('');
      const whole = new TextEncoder().encode(text);
      const parser = createSseParser(10_000);
      const ends = [...places, whole.length].filter((end) => end <= whole.length).toSorted((a, b) => a - b);
      let start = 0;
      const got = ends.flatMap((end) => {
        const piece = parser.push(whole.subarray(start, end));
        start = end;
        return piece;
      });
      expect(got).toEqual(events.map(({ name, data }) => ({ name, data: data.join('\n') })));
    }),
  );
});
