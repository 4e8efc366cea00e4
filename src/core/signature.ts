/**
 * Signed read addresses: HMAC-SHA256 over path and query, with an expiry. A signature is a promise of
 * whoever holds the key, so it may ask for sizes that strangers may not. Pure but for node:crypto.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

/** `exp` is seconds since the epoch; `sig` base64url. */
const EXPIRY_PARAMETER = 'exp';
export const SIGNATURE_PARAMETER = 'sig';

/** Everything but the signature, in one order: proxies and clients may reorder a query. */
function signedText(path: string, query: URLSearchParams): string {
  const rest = [...query].filter(([name]) => name !== SIGNATURE_PARAMETER);
  const sorted = rest.toSorted(([a, aValue], [b, bValue]) => compare(a, b) || compare(aValue, bValue));
  return `${path}?${new URLSearchParams(sorted).toString()}`;
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function mac(key: string, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

/** The address with `exp` and `sig`. `address` is path and query, as the server will see them. */
export function signAddress(address: string, key: string, expiresAtS: number): string {
  const [path = '', text = ''] = address.split('?');
  const query = new URLSearchParams(text);
  query.delete(SIGNATURE_PARAMETER);
  query.set(EXPIRY_PARAMETER, String(expiresAtS));
  query.set(SIGNATURE_PARAMETER, mac(key, signedText(path, query)).toString('base64url'));
  return `${path}?${query.toString()}`;
}

/** Whether one of the keys signed this address, and its time has not come. Every key is tried, in constant time. */
export function isSigned(path: string, queryText: string, keys: readonly string[], nowMs: number): boolean {
  const query = new URLSearchParams(queryText);
  const given = Buffer.from(query.get(SIGNATURE_PARAMETER) ?? '', 'base64url');
  const expiresAtS = Number(query.get(EXPIRY_PARAMETER) ?? Number.NaN);
  const text = signedText(path, query);
  let matches = false;
  for (const key of keys) {
    const expected = mac(key, text);
    matches = (given.length === expected.length && timingSafeEqual(given, expected)) || matches;
  }
  return matches && expiresAtS * 1000 > nowMs;
}
