/** Rows of the settings table for Redis. */
import { bool, choice, int, secret, text, type Setting } from './setting.ts';

export const REDIS_SETTINGS = {
  REDIS_ENABLED: bool('Redis', false, 'true keeps images and values in Redis instead of on disk.'),
  REDIS_HOST: text('Redis', 'localhost', 'Host of the Redis server.'),
  REDIS_PORT: int('Redis', 6379, 1, 65_535, 'port', 'Port of the Redis server.'),
  REDIS_DB: int('Redis', 0, 0, 65_535, 'number', 'Database number; a Cluster has only 0.'),
  REDIS_PASSWORD: secret('Redis', 'Password of the Redis server.'),
  REDIS_URL: secret(
    'Redis',
    'Instead of host, port, db and password: redis://user:password@host:6379/0, rediss://… for TLS, ' +
      'redis+sentinel://h1,h2/mymaster or redis+cluster://h1,h2.',
  ),
  REDIS_TLS: bool('Redis', false, 'true speaks TLS; a rediss:// URL says so itself.'),
  REDIS_KEY_PREFIX: text(
    'Redis',
    'image:',
    'What stands before an image id in the name of its Redis key; others may write under it.',
  ),
  REDIS_FORMAT: choice(
    'Redis',
    'hash',
    ['hash', 'json'],
    'hash stores images compactly; json with base64_data, for other programs that read them.',
  ),
  REDIS_TTL_S: int(
    'Redis',
    7200,
    0,
    31_536_000,
    's',
    'How long Redis keeps an image that came without a ttl; 0: until it is evicted.',
  ),
  REDIS_TIMEOUT_MS: int('Redis', 1000, 10, 60_000, 'ms', 'Longest wait for an answer of Redis.'),
  REDIS_ANNOUNCE: bool(
    'Redis',
    true,
    'Whether an image that another program sets or deletes in Redis is announced to subscribers.',
  ),
  REDIS_MAX_VALUE_MB: int('Redis', 48, 1, 512, 'MiB', 'Largest value that is read from or written to Redis.'),
} as const satisfies Record<string, Setting>;
