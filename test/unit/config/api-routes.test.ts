import { expect, test } from 'vitest';
import { parseApiRoute, parseUpstream } from '../../../src/config/api-routes.ts';

test('a route is a path below /api/ and seconds', () => {
  expect(parseApiRoute('/api/areas/*=3600')).toEqual({ pattern: '/api/areas/*', ttlS: 3600 });
  expect(parseApiRoute('/api/now=0')).toEqual({ pattern: '/api/now', ttlS: 0 });
});

test.each(['/areas/*=60', '/api/areas', '/api/areas=', '/api/a b=1', '/api/a=-1', '/api/a=31536001'])(
  '"%s" is no route',
  (text) => {
    expect(parseApiRoute(text)).toBeUndefined();
  },
);

test('an upstream is an http address without credentials or query', () => {
  expect(parseUpstream('http://app:5000/base')?.pathname).toBe('/base');
  for (const text of ['app:5000', 'ftp://app', 'http://u:p@app', 'http://app/?a=1', '']) {
    expect(parseUpstream(text), text).toBeUndefined();
  }
});
