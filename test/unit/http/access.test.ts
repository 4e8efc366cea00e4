import { describe, expect, test } from 'vitest';
import { createAccess, type Access } from '../../../src/http/access.ts';
import type { Request } from '../../../src/http/exchange.ts';

function request(headers: Readonly<Record<string, string>>): Request {
  // Only what access reads.
  return { header: (name: string) => headers[name] ?? '' } as unknown as Request;
}

const OPEN = { write: [], admin: [] };

function verdict(check: (request: Request) => void, headers: Readonly<Record<string, string>>): string {
  try {
    check(request(headers));
    return 'yes';
  } catch (error) {
    return String(error).split(':')[1]?.trim() ?? '';
  }
}

describe('tokens', () => {
  const access = createAccess({ write: ['a', 'b'], admin: [] }, ['*']);
  const bearer = (authorization: string): string => verdict(access.checkWrite, { authorization });

  test.each(['Bearer a', 'bearer b', 'BEARER a'])('%j is good', (given) => {
    expect(bearer(given)).toBe('yes');
  });

  test.each([
    '',
    'a',
    'Bearer',
    'Bearer ',
    'Bearer c',
    'Bearer  a',
    'Bearer a ',
    'Bearer a,b',
    'Basic a',
    'xBearer a',
  ])('%j is not', (given) => {
    expect(bearer(given)).toBe('token_missing');
  });

  test('whoever has the token may write from any page', () => {
    expect(verdict(access.checkWrite, { authorization: 'Bearer a', origin: 'https://x' })).toBe('yes');
  });

  test('administrators need the writing tokens, or their own where there are any', () => {
    expect(verdict(access.checkAdmin, { authorization: 'Bearer a' })).toBe('yes');
    const apart = createAccess({ write: ['a'], admin: ['c'] }, ['*']);
    expect(verdict(apart.checkAdmin, { authorization: 'Bearer a' })).toBe('token_missing');
    expect(verdict(apart.checkAdmin, { authorization: 'Bearer c' })).toBe('yes');
    expect(verdict(apart.checkWrite, { authorization: 'Bearer c' })).toBe('token_missing');
  });
});

describe('without a token', () => {
  const from = (access: Access, origin: string, host: string): string =>
    verdict(access.checkWrite, { origin, host });
  const anywhere = createAccess(OPEN, ['*', 'https://named']);
  const onLoopback = createAccess(OPEN, ['*', 'https://named'], { onLoopback: true });

  test('a page may write to its own host, and a named one to any', () => {
    for (const access of [anywhere, onLoopback]) {
      expect(from(access, '', 'x')).toBe('yes');
      expect(from(access, 'http://127.0.0.1:8080', '127.0.0.1:8080')).toBe('yes');
      expect(from(access, 'https://named', 'x')).toBe('yes');
      for (const origin of [
        'https://other',
        'null',
        'http://127.0.0.1',
        'http://127.0.0.1:8080.evil',
        'https://named.evil',
      ]) {
        expect([origin, from(access, origin, '127.0.0.1:8080')]).toEqual([origin, 'origin_forbidden']);
      }
    }
  });

  test('on loopback a name proves nothing, unless it never leaves the machine', () => {
    expect(from(anywhere, 'http://images.lan', 'images.lan')).toBe('yes');
    expect(from(onLoopback, 'http://images.lan', 'images.lan')).toBe('origin_forbidden');
    for (const host of [
      'localhost',
      'localhost:1',
      'app.localhost:8080',
      '[::1]:8080',
      '127.0.0.1',
      'LOCALHOST',
    ]) {
      expect([host, from(onLoopback, `http://${host}`, host)]).toEqual([host, 'yes']);
    }
    for (const host of [
      'evil.example:8080',
      'localhost.evil.example',
      'xlocalhost',
      '127.0.0.1.evil.example',
      '',
    ]) {
      expect([host, from(onLoopback, `http://${host}`, host)]).toEqual([host, 'origin_forbidden']);
    }
  });
});

describe('CORS', () => {
  const named = createAccess(OPEN, ['https://a', 'https://b']);
  const names = (origin: string): (string | undefined)[] => {
    const headers = new Map(named.corsHeaders(origin));
    return [headers.get('Access-Control-Allow-Origin'), headers.get('Vary')];
  };

  test('an origin is echoed only if it is on the list, letter by letter', () => {
    expect(names('https://b')).toEqual(['https://b', 'Origin']);
    for (const other of [
      '',
      'null',
      'https://c',
      'https://b/',
      'HTTPS://b',
      'https://a,https://b',
      'https://b\r\nX: 1',
    ]) {
      expect([other, names(other)]).toEqual([other, [undefined, 'Origin']]);
    }
  });

  test('any origin is not echoed at all', () => {
    const any = createAccess(OPEN, ['*']);
    expect(new Map(any.corsHeaders('https://x')).get('Access-Control-Allow-Origin')).toBe('*');
    expect(new Map(any.preflightHeaders('https://x')).get('Access-Control-Allow-Origin')).toBe('*');
  });
});
