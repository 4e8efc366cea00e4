import { describe, expect, it } from 'vitest';
import { decodeBase64, decodePackedBase64 } from '../../../src/core/base64.ts';
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

describe('decodePackedBase64', () => {
  const PIECE_BYTES = 48 * 1024;
  const image = Buffer.from(
    Uint8Array.from({ length: 3 * PIECE_BYTES }, (_, at) => (at * 131 + (at >> 8)) & 255),
  );

  it.each([0, 1, 2, 3])('decodes what ends so many bytes after a piece: %i', (more) => {
    for (const pieces of [0, 1, 2]) {
      const bytes = image.subarray(0, pieces * PIECE_BYTES + more);
      for (const encoding of ['base64', 'base64url'] as const) {
        const decoded = decodePackedBase64(Buffer.from(bytes.toString(encoding)), LIMIT);
        expect(decoded !== undefined && Buffer.from(decoded).equals(bytes)).toBe(true);
        expect(decoded?.buffer.byteLength).toBe(bytes.byteLength);
      }
    }
  });

  it.each([
    ['white space', ' '],
    ['a character that is none', '*'],
    ['padding before the end', '='],
    ['half a letter', '\u00e9'],
  ])('refuses %s in any piece', (_what, character) => {
    const text = image.toString('base64');
    for (const at of [0, 1, 65_535, 65_536, 131_071, text.length - 5]) {
      const broken = Buffer.from(text.slice(0, at) + character + text.slice(at + 1), 'latin1');
      expect(decodePackedBase64(broken, LIMIT)).toBeUndefined();
    }
  });

  it('refuses what would decode to more than the limit', () => {
    expect(decodePackedBase64(Buffer.from(Buffer.alloc(300).toString('base64')), 299)).toBeUndefined();
  });
});
