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
  /** The same for /admin/*. */
  checkAdmin(request: Request): void;
  /** CORS headers of an answer to this request; [] when its origin may not read. */
  corsHeaders(origin: string): Headers;
  preflightHeaders(origin: string): Headers;
}

const EXPOSED =
  'ETag, Content-Range, Cache-Status, Repr-Digest, Server-Timing, Age, Location, X-Request-Id, Retry-After, ' +
  'RateLimit, RateLimit-Policy';

const ALLOWED_HEADERS =
  'Authorization, Content-Type, If-Modified-Since, If-None-Match, If-Range, Last-Event-ID, Range, Traceparent';

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

/** Without tokens of their own, the calls of an administrator need those that may write. */
export interface AccessTokens {
  readonly write: readonly string[];
  readonly admin: readonly string[];
}

/** An address, or a name that never leaves the machine: nobody can make it point somewhere else. */
function isFixedHost(host: string): boolean {
  const name = host.replace(/:\d+$/, '').toLowerCase();
  return /^(?:[a-z\d-]+\.)*localhost$|^\d+\.\d+\.\d+\.\d+$|^\[[\da-f:.]+\]$/.test(name);
}

/**
 * `onLoopback`: the server is reached from its own machine only. There a name in `Host` proves nothing: a
 * page may have had its own name point to 127.0.0.1 after it was loaded (DNS rebinding).
 */
export function createAccess(
  tokens: AccessTokens,
  corsOrigins: readonly string[],
  { onLoopback }: { readonly onLoopback: boolean } = { onLoopback: false },
): Access {
  const anyOrigin = corsOrigins.includes('*');
  const named = new Set(corsOrigins);

  const mayRead = (origin: string): boolean => anyOrigin || named.has(origin);

  /** A browser names the page's origin on every cross-origin write; curl and servers send none. */
  const checkOrigin = (request: Request): void => {
    const origin = request.header('origin');
    if (origin === '' || named.has(origin)) return;
    const host = request.header('host');
    const isOwn = origin === `http://${host}` || origin === `https://${host}`;
    if (isOwn && (!onLoopback || isFixedHost(host))) return;
    throw new AppError('origin_forbidden');
  };

  const createCheck = (allowed: readonly string[]): ((request: Request) => void) => {
    // Without a token the address is all that protects a server on loopback from any web page.
    if (allowed.length === 0) return checkOrigin;
    const isToken = createTokenCheck(allowed);
    return (request) => {
      const [, token = ''] = /^Bearer (.+)$/i.exec(request.header('authorization')) ?? [];
      if (!isToken(token)) throw new AppError('token_missing');
    };
  };

  return {
    checkWrite: createCheck(tokens.write),
    checkAdmin: createCheck(tokens.admin.length === 0 ? tokens.write : tokens.admin),
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
        ['Access-Control-Allow-Headers', ALLOWED_HEADERS],
        ['Access-Control-Max-Age', '86400'],
        ['Vary', 'Origin'],
      ];
    },
  };
}
