import { describe, expect, it } from 'vitest';
import { parseModestJson } from '../../../src/core/json.ts';

const many = (piece: string): string => `[${piece.repeat(150_000)}0]`;

describe('parseModestJson', () => {
  it.each([
    ['a text of brackets and commas', JSON.stringify({ a: '[{,'.repeat(150_000) })],
    ['a text of escaped quotes', JSON.stringify({ a: '"['.repeat(150_000), b: '\\' })],
    ['a text that ends with backslashes', JSON.stringify({ a: '\\'.repeat(9), b: ',"'.repeat(150_000) })],
    ['a hundred thousand values', JSON.stringify(Array.from({ length: 99_999 }, () => 0))],
  ])('takes %s', (_, text) => {
    expect(parseModestJson(text)).toEqual(JSON.parse(text));
  });

  it.each([
    ['objects', many('{},')],
    ['lists', many('[],')],
    ['numbers', many('0,')],
    ['empty texts', many('"",')],
    ['keys', `{${'"a":0,'.repeat(150_000)}"b":0}`],
    ['depth', '['.repeat(150_000)],
    ['objects after a text of backslashes', `["${'\\'.repeat(8)}",${'{},'.repeat(150_000)}0]`],
  ])('refuses too many of these before it builds any: %s', (_, text) => {
    expect(() => parseModestJson(text)).toThrow('more than 100000 values');
  });

  it('refuses what is no JSON', () => {
    for (const text of ['', '{', '"abc', '"abc\\"', '{"a":}'])
      expect(() => parseModestJson(text)).toThrow(SyntaxError);
  });
});
