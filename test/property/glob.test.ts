import fc from 'fast-check';
import { expect, it } from 'vitest';
import { compileGlob } from '../../src/core/glob.ts';

/** The definition, one character at a time; exponential, so for short texts only. */
function byDefinition(pattern: string, text: string): boolean {
  if (pattern === '') return text === '';
  const [char = '', rest] = [pattern[0], pattern.slice(1)];
  if (char === '*') return byDefinition(rest, text) || (text !== '' && byDefinition(pattern, text.slice(1)));
  if (text === '') return false;
  if (char === '?') return byDefinition(rest, text.slice(1));
  const isEscape = char === '\\' && rest !== '';
  const wanted = isEscape ? rest[0] : char;
  return wanted === text[0] && byDefinition(isEscape ? rest.slice(1) : rest, text.slice(1));
}

it('matches exactly what its definition says', () => {
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?', '\\'), minLength: 1, maxLength: 8 });
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '*', '\\'), maxLength: 10 });
  fc.assert(
    fc.property(pattern, text, (glob, subject) => {
      expect(compileGlob(glob)(subject)).toBe(byDefinition(glob, subject));
    }),
    { numRuns: 5000 },
  );
});
