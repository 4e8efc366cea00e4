/** Rows of the settings table for what one client may have. */
import { int, list, type Setting } from './setting.ts';

const RATE_MAX = 1_000_000;

export const CLIENT_SETTINGS = {
  RATE_LIMIT_MISSES_PER_S: int(
    'Clients',
    0,
    0,
    RATE_MAX,
    'a second',
    'Requests of one address that memory cannot answer, ten seconds of them at once; 0: no limit.',
  ),
  RATE_LIMIT_RENDERS_PER_S: int(
    'Clients',
    0,
    0,
    RATE_MAX,
    'a second',
    'Of these, the ones for which something is rendered; 0: no limit.',
  ),
  RATE_LIMIT_UPLOADS_PER_S: int(
    'Clients',
    0,
    0,
    RATE_MAX,
    'a second',
    'Uploads of one address where WRITE_TOKEN is not set; 0: no limit. Who shows a token has none.',
  ),
  RATE_LIMIT_CONCURRENT: int(
    'Clients',
    0,
    0,
    RATE_MAX,
    'requests',
    'How many of all these one address may have under way at a time; 0: no limit.',
  ),
  TRUSTED_PROXIES: list(
    'Clients',
    '',
    'Addresses and blocks (10.0.0.0/8) of proxies whose X-Forwarded-For says who the client is.',
  ),
} as const satisfies Record<string, Setting>;
