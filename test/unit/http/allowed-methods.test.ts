import { expect, test } from 'vitest';
import { allowedMethods, takes } from '../../../src/http/allowed-methods.ts';

const allowed = allowedMethods([
  { method: 'get', pattern: '/a/*' },
  { method: 'put', pattern: '/a/*' },
  { method: 'post', pattern: '/a/*', suffix: '/stream' },
  { method: 'stream', pattern: '/b' },
]);

test('an address takes what its routes take; HEAD follows GET, but not a stream', () => {
  expect([...allowed.keys()]).toEqual(['/a/*', '/b']);
  expect(allowed.get('/a/*')?.('/a/x')).toBe('GET, HEAD, PUT');
  expect(allowed.get('/b')?.('/b')).toBe('GET');
});

test('a route with a suffix counts only at its own addresses', () => {
  expect(allowed.get('/a/*')?.('/a/x/stream')).toBe('GET, HEAD, PUT, POST');
  expect(takes({ method: 'post', pattern: '/a/*', suffix: '/stream' }, '/a/streams')).toBe(false);
  expect(takes({ method: 'post', pattern: '/a/*' }, '/a/x')).toBe(true);
});
