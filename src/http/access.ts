/**
 * Who may write, and which pages may read: bearer tokens, CORS, and the guard against pages of other
 * sites that write to a server on somebody's own machine. Knows headers, not routes.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { AppError } from '../errors.ts';
import type { Headers, Request } from './exchange.ts';

export interface Access {
  /** AppError token_missing or origin_forbidden, before any work. */
  checkWrite(request: Request): void;
  /** CORS headers of an answer to this request; [] when its origin may not read. */
  corsHeaders(origin: string): Headers;
  preflightHeaders(origin: string): Headers;
}

const EXPOSED =
  'ETag, Content-Range, Cache-Status, Repr-Digest, Server-Timing, Age, Location, X-Request-Id, Retry-After';

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Digests of equal length, each compared in constant time, so neither length nor place of a wrong byte shows. */
function createTokenCheck(tokens: readonly string[]): (given: string) => boolean {
  const known = tokens.map(digest);
  return (given) => {
    const candidate = digest(given);
    let matches = false;
    for (const token of known) matches = timingSafeEqual(token, candidate) || matches;
    return matches;
  };
}

export function createAccess(writeTokens: readonly string[], corsOrigins: readonly string[]): Access {
  const isToken = createTokenCheck(writeTokens);
  const anyOrigin = corsOrigins.includes('*');
  const named = new Set(corsOrigins);

  const mayRead = (origin: string): boolean => anyOrigin || named.has(origin);

  /** A browser names the page's origin on every cross-origin write; curl and servers send none. */
  const checkOrigin = (request: Request): void => {
    const origin = request.header('origin');
    if (origin === '' || named.has(origin)) return;
    const host = request.header('host');
    if (origin === `http://${host}` || origin === `https://${host}`) return;
    throw new AppError('origin_forbidden');
  };

  return {
    checkWrite(request) {
      if (writeTokens.length > 0) {
        const [, token = ''] = /^Bearer (.+)$/i.exec(request.header('authorization')) ?? [];
        if (!isToken(token)) throw new AppError('token_missing');
      }
      // Without a token the address is all that protects a server on loopback from any web page.
      else checkOrigin(request);
    },
    corsHeaders(origin) {
      if (anyOrigin)
        return [
          ['Access-Control-Allow-Origin', '*'],
          ['Access-Control-Expose-Headers', EXPOSED],
        ];
      if (origin === '' || !mayRead(origin)) return [['Vary', 'Origin']];
      return [
        ['Access-Control-Allow-Origin', origin],
        ['Access-Control-Expose-Headers', EXPOSED],
        ['Vary', 'Origin'],
      ];
    },
    preflightHeaders(origin) {
      if (!mayRead(origin)) return [['Vary', 'Origin']];
      return [
        ['Access-Control-Allow-Origin', anyOrigin ? '*' : origin],
        ['Access-Control-Allow-Methods', 'GET, HEAD, PUT, POST, DELETE, OPTIONS'],
        ['Access-Control-Allow-Headers', 'Authorization, Content-Type, If-None-Match, Range, Last-Event-ID'],
        ['Access-Control-Max-Age', '86400'],
        ['Vary', 'Origin'],
      ];
    },
  };
}
