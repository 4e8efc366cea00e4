import { expect, test } from 'vitest';
import { parseRedisUrl } from '../../../src/config/redis-url.ts';

test('one server, with what Redis itself takes as default', () => {
  expect(parseRedisUrl('redis://cache.internal')).toEqual({
    mode: 'single',
    tls: false,
    addresses: [{ host: 'cache.internal', port: 6379 }],
    masterName: '',
    username: '',
    password: '',
    db: undefined,
  });
});

test('user and password may hold what a URL must encode', () => {
  const target = parseRedisUrl('rediss://us%40er:p%3Ass%2F@h:7000/3');
  expect(target).toMatchObject({ tls: true, username: 'us@er', password: 'p:ss/', db: 3 });
  expect(target?.addresses).toEqual([{ host: 'h', port: 7000 }]);
});

test('sentinels, and the name of the master behind them', () => {
  expect(parseRedisUrl('redis+sentinel://:pw@s1,s2:26380/mymaster/2')).toMatchObject({
    mode: 'sentinel',
    masterName: 'mymaster',
    password: 'pw',
    db: 2,
    addresses: [
      { host: 's1', port: 26_379 },
      { host: 's2', port: 26_380 },
    ],
  });
});

test('nodes of a cluster, by IPv6 too', () => {
  const target = parseRedisUrl('rediss+cluster://n1,[fe80::1]:7001');
  expect(target).toMatchObject({ mode: 'cluster', tls: true });
  expect(target?.addresses).toEqual([
    { host: 'n1', port: 6379 },
    { host: 'fe80::1', port: 7001 },
  ]);
});

test.each([
  '',
  'localhost:6379',
  'http://localhost',
  'redis://',
  'redis://a,b',
  'redis://h:0',
  'redis://h:70000',
  'redis://h/one',
  'redis://h/1/2',
  'redis://%zz@h',
  'redis+sentinel://s1',
  'redis+cluster://n1/1',
])('"%s" is none of the forms', (text) => {
  expect(parseRedisUrl(text)).toBeUndefined();
});
