import { describe, expect, it } from 'vitest';
import { primaryKey, variedKey, varyNames } from '../../../src/upstream/api-address.ts';

function request(query: string, headers: Readonly<Record<string, string>> = {}) {
  const map = new Map(Object.entries(headers));
  return { method: 'GET', path: '/api/x', query, headers: map, clientAddress: '', body: undefined };
}

describe('the key of an address', () => {
  it('can be read, and has the query in one order', () => {
    expect(primaryKey(request(''))).toBe('api:/api/x');
    expect(primaryKey(request('b=2&a=1&&a=0'))).toBe('api:/api/x?a=1&a=0&b=2');
  });

  it('is a digest where the address is long, a different one for each', () => {
    const long = 'x'.repeat(600);
    expect(primaryKey(request(`a=${long}`))).toMatch(/^api:sha256:[0-9a-f]{64}$/);
    expect(primaryKey(request(`a=${long}`))).not.toBe(primaryKey(request(`b=${long}`)));
  });

  it('differs by the values of the headers that the answer varies by, and by no other', () => {
    const names = varyNames('Accept-Language, X-Tenant, accept-language');
    expect(names).toEqual(['accept-language', 'x-tenant']);
    const key = (headers: Readonly<Record<string, string>>): string =>
      variedKey('api:/api/x', names, request('', headers));
    expect(key({ 'x-tenant': 'a', accept: '1' })).toBe(key({ 'x-tenant': 'a', accept: '2' }));
    expect(key({ 'x-tenant': 'a' })).not.toBe(key({ 'x-tenant': 'b' }));
    expect(key({ 'x-tenant': 'a' })).not.toBe(key({ 'accept-language': 'a' }));
  });
});
