/** The address of an API request: what is forwarded, what is refused, and the keys made of it. Pure. */
import { createHash } from 'node:crypto';
import { apiKey } from '../core/keys.ts';
import { AppError } from '../errors.ts';
import type { ApiRequest } from './api-message.ts';
import { acceptedEncoding } from './forwarded-headers.ts';

const ROOT = '/api/';
/** Whatever is not printable ASCII has no place in a request line. */
const PRINTABLE = /^[\u0021-\u007e]*$/;
const TARGET_CHARS_MAX = 8192;
/** Longer addresses are named by their digest; shorter ones stay readable for whoever looks into Redis. */
const READABLE_CHARS_MAX = 512;

/** Path and query to send on. AppError route_not_found, query_invalid. */
export function checkedTarget(request: ApiRequest): string {
  const { path, query } = request;
  const target = query === '' ? path : `${path}?${query}`;
  if (target.length > TARGET_CHARS_MAX || !PRINTABLE.test(target)) {
    throw new AppError('query_invalid', `An address is up to ${TARGET_CHARS_MAX} printable characters.`);
  }
  // `/api/../admin` and its escaped forms: what the upstream serves elsewhere is not for here (CWE-22).
  const segments = unescaped(path).split(/[/\\]/);
  if (!path.startsWith(ROOT) || segments.includes('..') || segments.includes('.')) {
    throw new AppError('route_not_found');
  }
  return target;
}

function unescaped(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw new AppError('query_invalid', 'The address has a broken percent escape.');
  }
}

/** The same for every order of the query's parameters; those of one name keep theirs. */
export function primaryKey(request: ApiRequest): string {
  const parameters = request.query.split('&').filter((part) => part !== '');
  const sorted = parameters.toSorted((a, b) => compare(nameOf(a), nameOf(b)));
  const address = sorted.length === 0 ? request.path : `${request.path}?${sorted.join('&')}`;
  return apiKey(address.length <= READABLE_CHARS_MAX ? address : `sha256:${digest(address)}`);
}

/** The key of the answer for a request with these values of the headers that it varies by. */
export function variedKey(primary: string, names: readonly string[], request: ApiRequest): string {
  const values = names.map((name) => [
    name,
    name === 'accept-encoding' ? acceptedEncoding(request) : (request.headers.get(name) ?? ''),
  ]);
  return `${primary} vary:${digest(JSON.stringify(values))}`;
}

/** Names of a Vary header, each once, in one order. */
export function varyNames(vary: string | undefined): readonly string[] {
  const names = (vary ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim());
  return [...new Set(names.filter((name) => name !== ''))].toSorted(compare);
}

function nameOf(parameter: string): string {
  return parameter.split('=', 1)[0] ?? '';
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
