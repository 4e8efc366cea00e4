import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { parseRedisUrl } from '../../../src/config/redis-url.ts';

const PLAIN = { mode: 'single', tls: false, masterName: '', username: '', password: '', db: undefined };

function messageOf(work: () => unknown): string {
  try {
    work();
    return '';
  } catch (error) {
    return error instanceof Error ? error.message : '';
  }
}

describe('REDIS_URL', () => {
  it('names one server', () => {
    const addresses = [{ host: 'cache', port: 6379 }];
    expect(parseRedisUrl('redis://cache')).toEqual({ ...PLAIN, addresses });
    expect(parseRedisUrl('redis://cache/')).toEqual({ ...PLAIN, addresses });
    expect(parseRedisUrl('rediss://user:p%40ss:word@cache:7000/3')).toEqual({
      ...PLAIN,
      tls: true,
      addresses: [{ host: 'cache', port: 7000 }],
      username: 'user',
      password: 'p@ss:word',
      db: 3,
    });
    expect(parseRedisUrl('redis://:secret@[::1]:7000')).toMatchObject({
      addresses: [{ host: '::1', port: 7000 }],
      password: 'secret',
      username: '',
    });
  });

  it('names sentinels and their master', () => {
    expect(parseRedisUrl('redis+sentinel://:pw@s1,s2:26380/mymaster/2')).toEqual({
      ...PLAIN,
      mode: 'sentinel',
      addresses: [
        { host: 's1', port: 26_379 },
        { host: 's2', port: 26_380 },
      ],
      masterName: 'mymaster',
      password: 'pw',
      db: 2,
    });
  });

  it('names nodes of a cluster', () => {
    expect(parseRedisUrl('rediss+cluster://n1:7001,n2')).toMatchObject({
      mode: 'cluster',
      tls: true,
      addresses: [
        { host: 'n1', port: 7001 },
        { host: 'n2', port: 6379 },
      ],
    });
  });

  it.each([
    'cache:6379',
    'http://cache',
    'redis://',
    'redis://a,b',
    'redis://cache:0',
    'redis://cache:99999',
    'redis://cache/x',
    'redis://cache/1/2',
    'redis://%zz@cache',
    'redis+sentinel://s1,s2',
    'redis+cluster://n1/4',
    'redis+cluster://n1,,n2',
    'redis+proxy://n1',
  ])('refuses %s', (url) => {
    expect(parseRedisUrl(url)).toBeUndefined();
    expect(() => loadConfig({ REDIS_URL: url })).toThrow(
      /^REDIS_URL is a value of no known form: expected redis:/,
    );
  });
});

describe('the settings of Redis', () => {
  it('have the defaults of the seeds', () => {
    expect(loadConfig({})).toMatchObject({
      REDIS_ENABLED: false,
      REDIS_HOST: 'localhost',
      REDIS_PORT: 6379,
      REDIS_DB: 0,
      REDIS_KEY_PREFIX: 'image:',
      REDIS_FORMAT: 'hash',
      REDIS_TTL_S: 7200,
      REDIS_ANNOUNCE: true,
    });
  });

  it('take the REDIS_PORT that Kubernetes injects for none', () => {
    const env = {
      REDIS_PORT: 'tcp://10.0.0.11:6379',
      REDIS_PORT_6379_TCP: 'tcp://10.0.0.11:6379',
      REDIS_PORT_6379_TCP_ADDR: '10.0.0.11',
      REDIS_SERVICE_HOST: '10.0.0.11',
      REDIS_SERVICE_PORT: '6379',
    };
    expect(loadConfig(env).REDIS_PORT).toBe(6379);
    expect(() => loadConfig({ REDIS_PORT: '63790000' })).toThrow(/REDIS_PORT is "63790000"/);
  });

  it.each(['', 'a', 'afterimage', 'afterimage:x:', 'afterimage-claim:'])(
    'refuse the key prefix "%s"',
    (prefix) => {
      expect(() => loadConfig({ REDIS_KEY_PREFIX: prefix })).toThrow(/REDIS_KEY_PREFIX is/);
    },
  );

  it('never show a secret', () => {
    const env = { REDIS_URL: 'http://:hunter2@x', REDIS_PASSWORD: 'hunter2' };
    expect(messageOf(() => loadConfig(env))).toMatch(/^REDIS_URL is a value of no known form/);
    expect(messageOf(() => loadConfig(env))).not.toContain('hunter2');
  });
});
