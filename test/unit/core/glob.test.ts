import { describe, expect, it } from 'vitest';
import { compileGlob } from '../../../src/core/glob.ts';

describe('a pattern', () => {
  it.each([
    ['project_images:42:*', 'project_images:42:skip:0', true],
    ['project_images:42:*', 'project_images:42:', true],
    ['project_images:42:*', 'project_images:421:skip:0', false],
    ['*', '', true],
    ['*', 'anything', true],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['a?c', 'abbc', false],
    ['*:metadata', 'image:7:metadata', true],
    ['*:metadata', 'image:7:metadata:old', false],
    ['image:*:meta*', 'image:7:metadata', true],
    ['*b*b*', 'abcab', true],
    ['*b*b*', 'abc', false],
    ['a*a', 'a', false],
    ['a*a', 'aa', true],
    ['*a?b*', 'xxacacbx', true],
    ['a\\*b', 'a*b', true],
    ['a\\*b', 'axb', false],
    ['a\\?b', 'a?b', true],
    ['a\\\\b', 'a\\b', true],
    ['end\\', 'end\\', true],
    ['a[b-d]c', 'abc', false],
    ['a.c', 'abc', false],
    ['**', 'x', true],
    ['exact', 'exactly', false],
  ])('%s over %s is %s', (pattern, text, expected) => {
    expect(compileGlob(pattern)(text)).toBe(expected);
  });

  it('finds segments longer than a machine word', () => {
    const long = 'abcdefghij'.repeat(7);
    expect(compileGlob(`*${long}?z*`)(`x${long}${long}!zy`)).toBe(true);
    expect(compileGlob(`*${long}?z*`)(`x${long}${long}!y`)).toBe(false);
  });

  it('is refused when it is empty or longer than a key', () => {
    expect(() => compileGlob('')).toThrow(/query_invalid/);
    expect(() => compileGlob('*'.repeat(1025))).toThrow(/query_invalid/);
  });
});
