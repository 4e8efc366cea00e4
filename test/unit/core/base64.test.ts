import { describe, expect, it } from 'vitest';
import { decodeBase64 } from '../../../src/core/base64.ts';
import { AppError } from '../../../src/errors.ts';

const LIMIT = 1 << 20;

function codeOf(text: string, limitBytes = LIMIT): string | undefined {
  try {
    decodeBase64(text, limitBytes);
    return undefined;
  } catch (error) {
    return error instanceof AppError ? error.code : 'not an AppError';
  }
}

describe('decodeBase64', () => {
  it.each([0, 1, 2, 3, 4, 5, 255, 256, 8191, 100_000])('gives %d bytes back as they were', (size) => {
    const bytes = Uint8Array.from({ length: size }, (_, at) => (at * 131 + (at >> 8)) & 255);
    const base64 = Buffer.from(bytes).toString('base64');
    for (const text of [base64, base64.replaceAll('=', ''), Buffer.from(bytes).toString('base64url')]) {
      const decoded = decodeBase64(text, LIMIT);
      expect(Buffer.compare(decoded, bytes)).toBe(0);
      expect(decoded.buffer.byteLength).toBe(size);
    }
  });

  it.each(['QUJD\n', ' QUJD', 'QU\r\nJD', 'Q U\tJ\fD', 'QUJDQQ==\n', 'QUJDQQ\n=='])(
    'ignores white space: %j',
    (text) => {
      expect(Buffer.from(decodeBase64(text, LIMIT)).toString()).toMatch(/^ABCA?$/);
    },
  );

  it.each([
    ['a character that is none', 'QU*D'],
    ['a character that is none, in text long enough to keep the length', 'QUJDQUJD!QUJDQUJD'],
    ['padding in the middle', 'QQ==QUJD'],
    ['a single symbol left over', 'QUJDQ'],
    ['too much padding', 'QUJD='],
    ['padding that does not fit', 'QUI=='],
    ['nothing but padding', '=='],
    ['a percent-encoded plus', 'QUJD%2BQQ'],
    ['letters whose low byte is a symbol (Node decodes them)', '\u0151\u0155JD'],
    ['Latin-1 letters', 'QUJ\u00e9'],
    ['a data URL', 'data:image/png;base64,QUJD'],
    ['white space of other scripts', 'QU\u00a0JD'],
  ])('refuses %s', (_what, text) => {
    expect(codeOf(text)).toBe('base64_invalid');
  });

  it('refuses what would decode to more than the limit, and counts no white space', () => {
    const base64 = Buffer.alloc(300).toString('base64');
    expect(codeOf(base64, 299)).toBe('image_too_large');
    expect(codeOf(base64, 300)).toBeUndefined();
    expect(codeOf(base64.replaceAll('AAAA', 'AAAA\n'), 300)).toBeUndefined();
    expect(codeOf(base64.replaceAll('AAAA', 'AAAA\n'), 299)).toBe('image_too_large');
  });
});
