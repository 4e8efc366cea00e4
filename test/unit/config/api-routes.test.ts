import { describe, expect, it } from 'vitest';
import { parseApiRoute, parseUpstream } from '../../../src/config/api-routes.ts';
import { loadConfig } from '../../../src/config/load.ts';

describe('API_ROUTES and API_UPSTREAM', () => {
  it('are patterns with seconds, and an address', () => {
    expect(parseApiRoute('/api/areas/*=3600')).toEqual({ pattern: '/api/areas/*', ttlS: 3600 });
    expect(parseUpstream('http://app:5000')?.host).toBe('app:5000');
  });

  it.each(['/areas/*=1', '/api/areas', '/api/a=', '/api/a=x', '/api/a=-1', '/api/a=99999999', '/api/a b=1'])(
    '%s is no route',
    (text) => expect(parseApiRoute(text)).toBeUndefined(),
  );

  it.each(['app:5000', 'ftp://app', 'http://u:p@app', 'http://app/?x', 'nonsense'])(
    '%s is no address',
    (text) => expect(parseUpstream(text)).toBeUndefined(),
  );

  it('stop the start when they are wrong, by name and value', () => {
    const load = (env: Readonly<Record<string, string>>) => () => loadConfig(env);
    expect(load({ API_ROUTES: '/api/a=1,/b=2' })).toThrow(/API_ROUTES has "\/b=2": expected pattern=seconds/);
    expect(load({ API_UPSTREAM: 'app' })).toThrow(/API_UPSTREAM is "app": expected an address/);
  });
});
