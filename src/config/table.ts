/**
 * Every setting there is: name, type, unit, default, bounds, sentence. The checked config, `--help`
 * and docs/config.md all come from this table; nothing else names an environment variable.
 */
import { bool, choice, int, intOrAuto, list, secret, text, type Setting } from './setting.ts';
import { CLIENT_SETTINGS } from './table-clients.ts';
import { ORIGIN_SETTINGS } from './table-origins.ts';
import { REDIS_SETTINGS } from './table-redis.ts';

export type { Setting };

export const SETTINGS = {
  PORT: int('Server', 8080, 0, 65535, 'port', 'Port to listen on; 0 takes a free one.'),
  HOST: text('Server', '127.0.0.1', 'Address to listen on; any but a loopback address needs WRITE_TOKEN.'),
  PROCESSES: intOrAuto(
    'Server',
    '1',
    64,
    'processes',
    'Processes that share PORT and divide the budgets; auto: one a core. Several need Linux and REDIS_ENABLED.',
  ),
  PUBLIC_BASE_URL: text(
    'Server',
    '',
    'Address that events put before `full`, for instance a CDN; empty: paths only.',
  ),
  CORS_ORIGINS: list(
    'Server',
    '*',
    'Origins whose pages may read, comma separated; `*` is any. To write, an origin must be named.',
  ),
  LOG_LEVEL: choice(
    'Server',
    'info',
    ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
    'Least level that is logged; one line a request at debug.',
  ),
  LOG_FORMAT: choice(
    'Server',
    'auto',
    ['auto', 'json', 'pretty'],
    'auto is pretty on a terminal, JSON elsewhere.',
  ),
  METRICS_PORT: int(
    'Server',
    0,
    0,
    65535,
    'port',
    'Serves /metrics on a port of its own instead; 0: on PORT.',
  ),
  STOP_GRACE_S: int(
    'Server',
    10,
    0,
    600,
    's',
    'How long a stop waits for requests and spreads the end of streams.',
  ),
  STOP_DELAY_S: int(
    'Server',
    0,
    0,
    600,
    's',
    'How long a stop goes on as before with /readyz at 503, for a balancer that asks it, before it begins.',
  ),
  CACHE_ENABLED: bool('Cache', true, 'false serves everything uncached: to find a bug, to roll back.'),
  MEMORY_CACHE_MB: int(
    'Cache',
    256,
    1,
    1_048_576,
    'MiB',
    'Byte budget of the memory tier; an image over a quarter of it is not kept there.',
  ),
  MEMORY_CACHE_IMAGES: int(
    'Cache',
    100_000,
    1,
    10_000_000,
    'entries',
    'The most entries that the memory tier holds.',
  ),
  MEMORY_POLICY: choice(
    'Cache',
    'lru',
    ['lru', 'sieve'],
    'What memory evicts: the least recently used, or by SIEVE, which keeps more of skewed reads.',
  ),
  CACHE_DIR: text('Cache', '.afterimage', 'Folder of the disk tier; empty turns the disk tier off.'),
  CACHE_SIZE_MB: int('Cache', 1000, 1, 1_073_741_824, 'MiB', 'Byte budget of the disk tier.'),
  CACHE_MIN_FREE_MB: int(
    'Cache',
    256,
    0,
    1_048_576,
    'MiB',
    'Free space that the disk tier leaves on its filesystem.',
  ),
  CACHE_MAX_AGE_S: int(
    'Cache',
    3600,
    0,
    31_536_000,
    's',
    'max-age of images asked for without their version.',
  ),
  WARM_FILE: text('Cache', '', 'File of image ids, one a line, that are fetched into memory at start.'),
  WARM_FROM_DISK: bool('Cache', true, 'Fills memory at start with what was hottest on disk before.'),
  MAX_IMAGE_MB: int(
    'Images',
    32,
    1,
    1024,
    'MiB',
    'Largest image that is taken in; JSON bodies may be a third larger.',
  ),
  MAX_IMAGE_MEGAPIXELS: int(
    'Images',
    50,
    1,
    1000,
    'megapixels',
    'Most pixels that an image may have, all frames counted.',
  ),
  VARIANT_SIZES: {
    kind: 'int-list',
    group: 'Images',
    default: '64,128,256,320,384,512,640,768,1024,1280,1536,1920,2048',
    min: 1,
    max: 8192,
    unit: 'px',
    sentence: 'Widths and heights that may be asked for.',
  },
  WEBP_EFFORT: int(
    'Images',
    2,
    0,
    6,
    'effort',
    'Effort of WebP renderings: 0 is five times faster than 6 and a fifth larger.',
  ),
  WORKER_THREADS: int(
    'Workers',
    0,
    0,
    256,
    'threads',
    'Threads that decode and render; 0: one a core, at least two. Of a single one, an upload may wait for a rendering.',
  ),
  WORKER_QUEUE: int(
    'Workers',
    256,
    1,
    100_000,
    'jobs',
    'Jobs that may wait for a thread; the next one gets 503.',
  ),
  WORKER_TIMEOUT_MS: int(
    'Workers',
    30_000,
    100,
    600_000,
    'ms',
    'Longest that one job may run before its thread is replaced.',
  ),
  WORKER_NICE: int(
    'Workers',
    5,
    0,
    19,
    'nice',
    'How far decoding gives way to serving where cores are short: at 5 it gets a quarter of a core that both want, at 10 a tenth, at 19 what is left.',
  ),
  UPLOAD_BUDGET_MB: int(
    'Workers',
    256,
    1,
    1_048_576,
    'MiB',
    'Bytes of request bodies that may be in flight at once; the next one gets 503.',
  ),
  DOWNLOAD_BUDGET_MB: int(
    'Workers',
    256,
    1,
    1_048_576,
    'MiB',
    'Bytes of images that readers slower than the network hold at once; beyond it the oldest are cut.',
  ),
  PARTIAL_INTERVAL_MS: int(
    'Events',
    100,
    0,
    60_000,
    'ms',
    'Least time between two announced partials of one image; the newest wins, finals never wait.',
  ),
  EVENTS_MAX_SUBSCRIBERS: int(
    'Events',
    20_000,
    1,
    1_000_000,
    'streams',
    'Open event streams; the next one gets 503.',
  ),
  EVENTS_MAX_PER_CLIENT: int(
    'Events',
    0,
    0,
    1_000_000,
    'streams',
    'Open event streams of one address; 0: no limit, as behind a proxy all have the same (see TRUSTED_PROXIES).',
  ),
  EVENTS_MAX_TOPICS: int('Events', 64, 1, 1000, 'topics', 'Topics that one stream may follow.'),
  EVENTS_SUBSCRIBER_KB: int(
    'Events',
    4096,
    64,
    1_048_576,
    'KiB',
    'Bytes that may wait for one slow stream before it is closed.',
  ),
  EVENTS_STALL_S: int(
    'Events',
    30,
    1,
    600,
    's',
    'How long a stream may read nothing while bytes wait for it.',
  ),
  EVENTS_HEARTBEAT_S: int('Events', 15, 1, 300, 's', 'Time between comments on an idle stream.'),
  EVENTS_LIFETIME_S: int(
    'Events',
    3600,
    0,
    604_800,
    's',
    'Streams end after half of it to all of it, at random, and resume; 0: never.',
  ),
  EVENTS_INLINE_MAX_KB: int('Events', 1024, 1, 65_536, 'KiB', 'The most that `inline_max` may ask for.'),
  HISTORY_EVENTS: int('Events', 10_000, 0, 10_000_000, 'events', 'Events kept for replay.'),
  HISTORY_MB: int('Events', 32, 1, 65_536, 'MiB', 'Byte budget of the events kept for replay.'),
  HISTORY_AGE_S: int('Events', 3600, 1, 604_800, 's', 'Age at which an event is no longer replayed.'),
  ...REDIS_SETTINGS,
  ...ORIGIN_SETTINGS,
  WRITE_TOKEN: secret(
    'Access',
    'Bearer tokens that may write and administer, comma separated; empty: no token needed.',
  ),
  ADMIN_TOKEN: secret('Access', 'Bearer tokens for /admin/*, comma separated; empty: those of WRITE_TOKEN.'),
  SIGNING_KEYS: secret(
    'Access',
    'Keys of signed image addresses, comma separated; the first signs, all are good. See `afterimage sign`.',
  ),
  SIGNED_ONLY: bool('Access', false, 'true serves images only at addresses that SIGNING_KEYS signed.'),
  TLS_CERT_FILE: text('Server', '', 'Certificate chain (PEM) to serve TLS with; needs TLS_KEY_FILE.'),
  TLS_KEY_FILE: text('Server', '', 'Private key (PEM) of TLS_CERT_FILE.'),
  SUBSCRIBE_JWT_SECRET: secret(
    'Access',
    'Secret of HS256 tokens that may follow events, at least 32 characters; empty: anybody may follow.',
  ),
  SUBSCRIBE_JWKS_FILE: text(
    'Access',
    '',
    'File with the public keys (JWKS) of tokens that may follow events, instead of a secret.',
  ),
  SUBSCRIBE_JWT_ALGORITHM: choice(
    'Access',
    'RS256',
    ['RS256', 'PS256', 'ES256', 'EdDSA'],
    'The one algorithm that tokens of SUBSCRIBE_JWKS_FILE may use.',
  ),
  ...CLIENT_SETTINGS,
  ALLOW_OPEN_WRITES: bool('Access', false, 'true listens beyond loopback without WRITE_TOKEN.'),
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof SETTINGS;

type ValueOf<S extends Setting> = S['kind'] extends 'int'
  ? number
  : S['kind'] extends 'int-or-auto'
    ? number | 'auto'
    : S['kind'] extends 'bool'
      ? boolean
      : S['kind'] extends 'list'
        ? readonly string[]
        : S['kind'] extends 'int-list'
          ? readonly number[]
          : S extends { readonly choices: readonly (infer C)[] }
            ? C
            : string;

/** The checked settings under their environment names: the one vocabulary of operators and code. */
export type Config = { readonly [Name in SettingName]: ValueOf<(typeof SETTINGS)[Name]> };
