/**
 * The story of the cache for anything: a value under a key, with its type and its time. Decides what a
 * key, a type and a TTL may be; knows neither HTTP nor where values end up.
 */
import { createHash } from 'node:crypto';
import type { Cache, Found } from '../cache/lookup.ts';
import type { Clock } from '../core/clock.ts';
import type { Entry } from '../core/entry.ts';
import { compileGlob } from '../core/glob.ts';
import { valueKey } from '../core/keys.ts';
import { CACHE_KEY_CHARS_MAX, TTL_S_MAX } from '../core/limits.ts';
import { AppError } from '../errors.ts';
import { findOrMiss } from './find-or-miss.ts';

export interface ValuesDeps {
  readonly cache: Cache;
  readonly clock: Clock;
}

export interface ValueUpload {
  readonly key: string;
  readonly body: Uint8Array;
  /** '' for bytes of no particular type. */
  readonly mime: string;
  /** Seconds, fractions allowed; undefined: until it is removed. */
  readonly ttlS: number | undefined;
}

/** Ends with the prefix of every key of this namespace: patterns say what follows it. */
const NAMESPACE = valueKey('');
// eslint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f]/;
/** RFC 9110 8.3.1. It becomes a header of whoever reads the value (CWE-113). */
const MIME = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(?:\s*;\s*[\w!#$&^.+-]+=(?:[\w!#$&^.+-]+|"[\w !#$&^.+-]*"))*$/;
const MIME_CHARS_MAX = 200;

/** `admit` as `Cache.find` has it. */
export async function getValue(
  key: string,
  deps: ValuesDeps,
  signal: AbortSignal,
  admit?: () => void,
): Promise<Found> {
  const found = await findOrMiss(valueKey(checkKey(key)), deps.cache, signal, admit);
  if (found === undefined) throw new AppError('key_not_found');
  return found;
}

/** `replaced`: the key had a value. */
export async function putValue(
  upload: ValueUpload,
  deps: ValuesDeps,
  signal: AbortSignal,
): Promise<{ readonly entry: Entry; readonly replaced: boolean }> {
  const { key, body, mime, ttlS } = upload;
  if (ttlS !== undefined && !(ttlS > 0 && ttlS <= TTL_S_MAX)) {
    throw new AppError('query_invalid', `ttl is seconds, above 0 and up to ${TTL_S_MAX}.`);
  }
  const nowMs = deps.clock.nowMs();
  const entry: Entry = {
    key: valueKey(checkKey(key)),
    mime: checkMime(mime),
    version: createHash('sha256').update(body).digest('hex'),
    bytes: body.byteLength,
    storedAtMs: nowMs,
    expiresAtMs: ttlS === undefined ? 0 : nowMs + Math.ceil(ttlS * 1000),
  };
  return { entry, ...(await deps.cache.put(entry, body, signal)) };
}

/** AppError key_not_found when there was none. */
export async function deleteValue(key: string, deps: ValuesDeps, signal: AbortSignal): Promise<void> {
  if (!(await deps.cache.delete(valueKey(checkKey(key)), signal))) throw new AppError('key_not_found');
}

/** Every key that the pattern matches, in every tier; the number removed. */
export async function clearValues(pattern: string, deps: ValuesDeps, signal: AbortSignal): Promise<number> {
  const matches = compileGlob(pattern);
  return deps.cache.deleteWhere(
    (key) => key.startsWith(NAMESPACE) && matches(key.slice(NAMESPACE.length)),
    signal,
  );
}

function checkKey(key: string): string {
  const isKey = key !== '' && key.length <= CACHE_KEY_CHARS_MAX && !CONTROL.test(key) && key.isWellFormed();
  if (!isKey) throw new AppError('key_invalid');
  return key;
}

function checkMime(mime: string): string {
  if (mime === '') return 'application/octet-stream';
  if (mime.length > MIME_CHARS_MAX || !MIME.test(mime)) {
    throw new AppError('content_type_unsupported', 'The Content-Type of the value is no type/subtype.');
  }
  return mime;
}
