import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeValue, encodeValue } from '../../../src/library/value-codec.ts';

describe('a value', () => {
  it.each([
    [
      'a listing',
      [
        { id: 1, name: 'x' },
        { id: 2, name: null },
      ],
      'application/json',
    ],
    ['a text', 'x', 'application/json'],
    ['bytes', new Uint8Array([1, 2, 3]), 'application/octet-stream'],
    ['a date', new Date(0), 'application/vnd.afterimage.clone'],
    ['a map', new Map([['a', new Set([1])]]), 'application/vnd.afterimage.clone'],
    ['a property without a value', { a: undefined }, 'application/vnd.afterimage.clone'],
    ['a number that JSON has not', [Number.NaN, -0, Infinity], 'application/vnd.afterimage.clone'],
    ['a big number', 2n ** 70n, 'application/vnd.afterimage.clone'],
  ])('%s comes back as it was', (_what, value, mime) => {
    const encoded = encodeValue(value);
    expect(encoded.mime).toBe(mime);
    expect(decodeValue(encoded)).toStrictEqual(value);
  });

  it('of any cloneable shape comes back as it was', () => {
    const anything = fc.anything({ withDate: true, withMap: true, withSet: true, withBigInt: true });
    fc.assert(
      fc.property(anything, (value) => {
        const copy = decodeValue(encodeValue(value));
        // What structured clone drops (a null prototype) is no difference to toEqual.
        expect(copy).toEqual(value);
      }),
      { numRuns: 500 },
    );
  });

  it('of a deeper nesting than any stack is told from JSON without an overflow', () => {
    let deep: unknown = 1;
    for (let level = 0; level < 1000; level += 1) deep = [deep];
    expect(decodeValue(encodeValue(deep))).toStrictEqual(deep);
  });

  it('that cannot be cloned is refused, and so are bytes of another origin', () => {
    expect(() => encodeValue(() => 1)).toThrow(/could not be cloned/);
    expect(() => decodeValue({ mime: 'text/html', body: new Uint8Array() })).toThrow(/not stored by this/);
  });

  it('of bytes is a copy, going in and coming out', () => {
    const bytes = new Uint8Array([1, 2, 3]);
    const encoded = encodeValue(bytes);
    bytes[0] = 9;
    const first = decodeValue(encoded);
    if (!(first instanceof Uint8Array)) throw new Error('no bytes');
    first[1] = 9;
    expect(decodeValue(encoded)).toStrictEqual(new Uint8Array([1, 2, 3]));
  });
});
