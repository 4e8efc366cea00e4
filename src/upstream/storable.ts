/** Whether and for how long an upstream's response may be kept for everybody (RFC 9111 3). Pure. */
import type { ApiRequest } from './api-message.ts';
import type { UpstreamResponse } from './upstream-client.ts';

export interface Lifetime {
  /** From now on. */
  readonly freshMs: number;
  /** False: the application forbids it to be served stale, whatever happens. */
  readonly mayBeStale: boolean;
}

const KEPT_STATUSES: ReadonlySet<number> = new Set([200, 203, 300, 301, 308]);
/** Kept too, but shortly: what is not there may come any moment. */
const GONE_STATUSES: ReadonlySet<number> = new Set([404, 410]);
const GONE_MS_MAX = 10_000;

/** Headers of requests whose answers are the asker's alone. */
const PRIVATE_HEADERS = ['authorization', 'cookie', 'proxy-authorization', 'x-api-key', 'x-auth-token'];

/** An answer to this request may be for its sender alone: neither kept nor taken from what is kept. */
export function isPrivateRequest(request: ApiRequest): boolean {
  if (PRIVATE_HEADERS.some((name) => request.headers.has(name))) return true;
  return directives(request.headers.get('cache-control')).has('no-store');
}

/** Undefined: not to be kept. `ttlMs`: what the route is configured to. */
export function lifetimeOf(response: UpstreamResponse, ttlMs: number, nowMs: number): Lifetime | undefined {
  const { status, headers } = response;
  const control = directives(headers.get('cache-control'));
  const isRefused =
    response.setCookies.length > 0 ||
    ['private', 'no-store', 'no-cache'].some((name) => control.has(name)) ||
    headers.get('vary')?.includes('*') === true ||
    headers.has('content-range') ||
    headers.has('www-authenticate');
  const limitMs = KEPT_STATUSES.has(status)
    ? ttlMs
    : GONE_STATUSES.has(status)
      ? Math.min(ttlMs, GONE_MS_MAX)
      : 0;
  if (isRefused || limitMs === 0) return undefined;
  const saidMs = saidFreshMs(control, headers, nowMs);
  const freshMs = Math.min(limitMs, saidMs ?? limitMs);
  const mayBeStale = !control.has('must-revalidate') && !control.has('proxy-revalidate');
  return freshMs <= 0 ? undefined : { freshMs, mayBeStale };
}

/** What the application itself says, less the age it came with; undefined: nothing. */
function saidFreshMs(
  control: ReadonlyMap<string, string>,
  headers: ReadonlyMap<string, string>,
  nowMs: number,
): number | undefined {
  const ageMs = millisecondsOf(headers.get('age')) ?? 0;
  const maxAgeMs = millisecondsOf(control.get('s-maxage')) ?? millisecondsOf(control.get('max-age'));
  if (maxAgeMs !== undefined) return maxAgeMs - ageMs;
  const expires = headers.get('expires');
  if (expires === undefined) return undefined;
  const expiresMs = Date.parse(expires);
  // `Expires: 0` and the like mean: already (RFC 9111 5.3).
  return Number.isNaN(expiresMs) ? 0 : expiresMs - nowMs;
}

/** `max-age` and `Age` in milliseconds. */
export function millisecondsOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) * 1000 : undefined;
}

/** Names in lower case; quotes are taken off the values. */
function directives(text: string | undefined): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const part of (text ?? '').split(',')) {
    const [name = '', value = ''] = part.split('=');
    if (name.trim() !== '') found.set(name.trim().toLowerCase(), value.trim().replaceAll('"', ''));
  }
  return found;
}
