import { describe, expect, it } from 'vitest';
import { isPrivateRequest, lifetimeOf } from '../../../src/upstream/storable.ts';

const NOW_MS = Date.parse('2026-11-20T12:00:00Z');
const TTL_MS = 60_000;

function response(status: number, headers: Readonly<Record<string, string>>, setCookies: string[] = []) {
  const pieces = async function* (): AsyncGenerator<Uint8Array> {};
  return { status, headers: new Map(Object.entries(headers)), setCookies, pieces, discard: () => undefined };
}

// RFC 9111, 3 and 4.2
describe('how long a response is kept', () => {
  it.each([
    [200, {}, TTL_MS],
    [203, {}, TTL_MS],
    [301, {}, TTL_MS],
    [404, {}, 10_000],
    [410, { 'cache-control': 'max-age=3' }, 3000],
    [302, {}, undefined],
    [206, {}, undefined],
    [500, {}, undefined],
    [200, { 'cache-control': 'max-age=5' }, 5000],
    [200, { 'cache-control': 'MAX-AGE="5"' }, 5000],
    [200, { 'cache-control': 'max-age=999' }, TTL_MS],
    [200, { 'cache-control': 'public, s-maxage=7, max-age=5' }, 7000],
    [200, { 'cache-control': 'max-age=30', age: '10' }, 20_000],
    [200, { 'cache-control': 'max-age=30', age: '30' }, undefined],
    [200, { expires: 'Fri, 20 Nov 2026 12:00:30 GMT' }, 30_000],
    [200, { expires: 'Fri, 20 Nov 2026 11:00:00 GMT' }, undefined],
    [200, { expires: '-1' }, undefined],
    [200, { 'cache-control': 'max-age=9', expires: '0' }, 9000],
    [200, { 'cache-control': 'max-age=soon' }, TTL_MS],
    [200, { 'content-range': 'bytes 0-1/2' }, undefined],
    [200, { vary: 'accept, *' }, undefined],
  ])('%i with %o is %s ms', (status, headers, freshMs) => {
    expect(lifetimeOf(response(status, headers), TTL_MS, NOW_MS)?.freshMs).toBe(freshMs);
  });

  it('ends with its time where the application says so', () => {
    const strict = response(200, { 'cache-control': 'must-revalidate' });
    expect(lifetimeOf(strict, TTL_MS, NOW_MS)).toEqual({ freshMs: TTL_MS, mayBeStale: false });
  });
});

describe('a request for its sender alone', () => {
  const request = { method: 'GET', path: '/api/x', query: '', clientAddress: '', body: undefined };
  it.each([
    [{ authorization: 'Basic x' }, true],
    [{ cookie: 'a=1' }, true],
    [{ 'cache-control': 'no-store' }, true],
    [{ 'cache-control': 'no-cache' }, false],
    [{ accept: '*/*' }, false],
  ])('with %o: %s', (headers, expected) => {
    expect(isPrivateRequest({ ...request, headers: new Map(Object.entries(headers)) })).toBe(expected);
  });
});
