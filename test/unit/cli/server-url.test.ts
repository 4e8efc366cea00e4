import { expect, test } from 'vitest';
import { addressOn, bearer, serverUrl } from '../../../src/cli/server-url.ts';
import { UsageError } from '../../../src/cli/terminal.ts';

test.each([
  [{}, 'http://127.0.0.1:8080/'],
  [{ PORT: '9000' }, 'http://127.0.0.1:9000/'],
  [{ PORT: '0' }, 'http://127.0.0.1:8080/'],
  [{ HOST: '0.0.0.0', PORT: '9000' }, 'http://127.0.0.1:9000/'],
  [{ HOST: '::1' }, 'http://[::1]:8080/'],
  [{ HOST: 'cache.internal' }, 'http://cache.internal:8080/'],
  [{ AFTERIMAGE_URL: 'https://images.example/cache', PORT: '9000' }, 'https://images.example/cache/'],
])('the environment %j leads to %s', (env, url) => {
  expect(serverUrl(undefined, env).href).toBe(url);
});

test('what is typed wins over the environment', () => {
  expect(serverUrl('http://a:1', { AFTERIMAGE_URL: 'http://b:2' }).href).toBe('http://a:1/');
});

test.each(['images', 'localhost:8080', 'ftp://a', 'file:///etc/passwd'])('"%s" is no server', (text) => {
  expect(() => serverUrl(text, {})).toThrow(UsageError);
});

test('addresses stay below the path of a server behind a proxy', () => {
  const server = serverUrl('https://images.example/cache', {});
  expect(addressOn(server, '/images/a/b.png?topic=x').href).toBe(
    'https://images.example/cache/images/a/b.png?topic=x',
  );
});

test('an id that looks like a URL stays an id', () => {
  const server = serverUrl('http://a:1', {});
  expect(addressOn(server, '/images/https%3A/b').href).toBe('http://a:1/images/https%3A/b');
});

test('no token, no header', () => {
  expect(bearer(undefined)).toEqual({});
  expect(bearer('')).toEqual({});
  expect(bearer('t')).toEqual({ Authorization: 'Bearer t' });
});
