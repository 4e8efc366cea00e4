import { expect, test } from 'vitest';
import { ConfigError, isLoopback, loadConfig, type Environment } from '../../../src/config/load.ts';
import { SETTINGS } from '../../../src/config/table.ts';

function problemsOf(env: Environment): readonly string[] {
  try {
    loadConfig(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

test('an empty environment gives every default, frozen', () => {
  const config = loadConfig({});
  expect(Object.keys(config).toSorted()).toEqual(Object.keys(SETTINGS).toSorted());
  expect(config.PORT).toBe(8080);
  expect(config.HOST).toBe('127.0.0.1');
  expect(config.VARIANT_SIZES).toContain(256);
  expect(config.CACHE_ENABLED).toBe(true);
  expect(Object.isFrozen(config)).toBe(true);
});

test.each([
  ['PORT', 'abc', 'PORT is "abc": expected a whole number from 0 to 65535 (port)'],
  ['PORT', '65536', 'PORT is "65536": expected a whole number from 0 to 65535 (port)'],
  ['PORT', '80.5', 'PORT is "80.5": expected a whole number from 0 to 65535 (port)'],
  ['PORT', '0x50', 'PORT is "0x50": expected a whole number from 0 to 65535 (port)'],
  ['CACHE_ENABLED', 'maybe', 'CACHE_ENABLED is "maybe": expected true or false'],
  ['LOG_FORMAT', 'xml', 'LOG_FORMAT is "xml": expected one of auto, json, pretty'],
  [
    'VARIANT_SIZES',
    '64,big',
    'VARIANT_SIZES is "64,big": expected whole numbers from 1 to 8192 (px), comma separated',
  ],
])('%s=%s is refused with its name, its value and what was expected', (name, value, line) => {
  expect(problemsOf({ [name]: value })).toEqual([line]);
});

test('all problems are said at once', () => {
  expect(problemsOf({ PORT: 'a', LOG_LEVEL: 'loud', MEMORY_CACHE_MBB: '1' })).toHaveLength(3);
});

test('a misspelt name is refused with the name that was meant', () => {
  expect(problemsOf({ MEMORY_CACHE_MBB: '64' })).toEqual([
    'MEMORY_CACHE_MBB is not a setting: did you mean MEMORY_CACHE_MB?',
  ]);
});

test('the variables of other programs are left alone', () => {
  const others = {
    PATH: '/bin',
    HOME: '/',
    SORT: '1',
    HOSTNAME: 'a',
    LANG: 'C',
    REDIS_SERVICE_HOST: '10.0.0.1',
  };
  expect(problemsOf(others)).toEqual([]);
});

test('REDIS_PORT=tcp://… of Kubernetes counts as not set', () => {
  expect(loadConfig({ REDIS_PORT: 'tcp://10.0.0.1:6379' }).REDIS_PORT).toBe(6379);
});

test('white space around a value does not matter', () => {
  const config = loadConfig({ PORT: ' 9000 ', CORS_ORIGINS: ' https://a.example , https://b.example ' });
  expect(config.PORT).toBe(9000);
  expect(config.CORS_ORIGINS).toEqual(['https://a.example', 'https://b.example']);
});

test('an empty CACHE_DIR turns the disk tier off, an empty PORT is not set', () => {
  const config = loadConfig({ CACHE_DIR: '', PORT: '' });
  expect(config.CACHE_DIR).toBe('');
  expect(config.PORT).toBe(8080);
});

test.each(['true', '1', 'yes', 'on', 'TRUE'])('%s means true', (text) => {
  expect(loadConfig({ REDIS_ENABLED: text }).REDIS_ENABLED).toBe(true);
});

test('beyond loopback it starts only with a token, or when told that anyone may write', () => {
  const [problem] = problemsOf({ HOST: '0.0.0.0' });
  expect(problem).toContain('WRITE_TOKEN');
  expect(problemsOf({ HOST: '0.0.0.0', WRITE_TOKEN: 'secret' })).toEqual([]);
  expect(problemsOf({ HOST: '0.0.0.0', ALLOW_OPEN_WRITES: 'true' })).toEqual([]);
});

test.each([
  ['127.0.0.1', true],
  ['127.8.8.8', true],
  ['localhost', true],
  ['::1', true],
  ['0.0.0.0', false],
  ['::', false],
  ['10.0.0.1', false],
  ['127.0.0.1.evil.example', false],
])('%s is loopback: %s', (host, expected) => {
  expect(isLoopback(host)).toBe(expected);
});

test('what a secret says is never repeated', () => {
  const problems = problemsOf({ REDIS_URL: 'redis:/user:hunter2@host' });
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain('REDIS_URL');
  expect(problems[0]).not.toContain('hunter2');
});

test.each([
  [{ METRICS_PORT: '9000', PORT: '9000' }, 'METRICS_PORT'],
  [{ REDIS_KEY_PREFIX: 'afterimage:' }, 'REDIS_KEY_PREFIX'],
  [{ API_UPSTREAM: 'ftp://app' }, 'API_UPSTREAM'],
  [{ API_ROUTES: '/api/areas/*' }, 'API_ROUTES'],
])('settings that do not go together are refused: %j', (env, name) => {
  const problems = problemsOf(env);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain(name);
});

test("OpenSSL's own SSL_CERT_FILE is left alone, close as it is to a setting", () => {
  expect(() => loadConfig({ SSL_CERT_FILE: '/etc/ssl/certs/ca-certificates.crt' })).not.toThrow();
});
