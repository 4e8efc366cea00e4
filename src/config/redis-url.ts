/**
 * REDIS_URL in its three forms: one server, Sentinel, Cluster. Pure; whoever connects decides what the
 * separate REDIS_… settings add to it.
 *
 *   redis://[user:password@]host[:6379][/db]                       rediss:// is the same with TLS
 *   redis+sentinel://[user:password@]h1[:26379],h2/mymaster[/db]   rediss+sentinel://
 *   redis+cluster://[user:password@]h1[:6379],h2                   rediss+cluster://
 */

export interface RedisAddress {
  readonly host: string;
  readonly port: number;
}

export interface RedisTarget {
  readonly mode: 'single' | 'sentinel' | 'cluster';
  readonly tls: boolean;
  /** The server; for sentinel the sentinels, for cluster some of its nodes. */
  readonly addresses: readonly RedisAddress[];
  /** Sentinel's name of the master; '' otherwise. */
  readonly masterName: string;
  readonly username: string;
  readonly password: string;
  /** Undefined: not said. */
  readonly db: number | undefined;
}

export const REDIS_URL_FORMS =
  'redis://host:6379/0, rediss://… for TLS, redis+sentinel://h1,h2/mymaster or redis+cluster://h1,h2';

const URL_SHAPE = /^redis(s?)(?:\+(sentinel|cluster))?:\/\/(?:([^@/]*)@)?([^/]+)(?:\/([^?#]*))?$/i;
const HOST_SHAPE = /^(\[[0-9a-f:]+\]|[^:[\]\s]+)(?::(\d{1,5}))?$/i;

function parseAddress(text: string, defaultPort: number): RedisAddress | undefined {
  const match = HOST_SHAPE.exec(text.trim());
  const host = match?.[1]?.replace(/^\[|\]$/g, '');
  const port = match?.[2] === undefined ? defaultPort : Number(match[2]);
  return host === undefined || port < 1 || port > 65_535 ? undefined : { host, port };
}

function parseLogin(text: string): { username: string; password: string } | undefined {
  const colon = text.indexOf(':');
  try {
    // `redis://secret@host` means nothing in Redis: a lone word is the user's name.
    const username = decodeURIComponent(colon === -1 ? text : text.slice(0, colon));
    const password = colon === -1 ? '' : decodeURIComponent(text.slice(colon + 1));
    return { username, password };
  } catch {
    return undefined;
  }
}

function parseDb(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  return /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
}

/** Undefined: none of the forms. */
export function parseRedisUrl(text: string): RedisTarget | undefined {
  const match = URL_SHAPE.exec(text.trim());
  if (match === null) return undefined;
  const [, secure, kind, loginText = '', hosts = '', path = ''] = match;
  const mode = kind === undefined ? 'single' : kind.toLowerCase() === 'sentinel' ? 'sentinel' : 'cluster';
  const parsed = hosts.split(',').map((host) => parseAddress(host, mode === 'sentinel' ? 26_379 : 6379));
  const addresses = parsed.filter((address) => address !== undefined);
  const login = parseLogin(loginText);
  if (addresses.length !== parsed.length || login === undefined) return undefined;
  if (mode === 'single' && addresses.length !== 1) return undefined;
  const segments = path.split('/');
  const masterName = mode === 'sentinel' ? (segments.shift() ?? '') : '';
  const db = parseDb(segments.shift());
  if (segments.length > 0 || Number.isNaN(db)) return undefined;
  if (mode === 'sentinel' && masterName === '') return undefined;
  if (mode === 'cluster' && db !== undefined && db !== 0) return undefined;
  return { mode, tls: secure !== '', addresses, masterName, ...login, db };
}
