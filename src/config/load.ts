/**
 * Environment in, frozen checked config out. Reports every problem at once, each as one line that
 * names the variable, its value, and what was expected. Knows no other source than its argument.
 */
import { parseApiRoute, parseUpstream } from './api-routes.ts';
import { parseIpBlock } from '../core/ip-address.ts';
import { didYouMean } from './did-you-mean.ts';
import { expectation, readSetting } from './read-setting.ts';
import { parseRedisUrl, REDIS_URL_FORMS } from './redis-url.ts';
import { SETTINGS, type Config, type Setting, type SettingName } from './table.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export class ConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

const NAMES = Object.keys(SETTINGS) as SettingName[];

function shown(setting: Setting, text: string): string {
  return setting.kind === 'secret' ? 'a value' : `"${text}"`;
}

/** `tcp://10.0.0.1:6379`: what Kubernetes injects as NAME_PORT for every service of a namespace. */
function isServiceLink(text: string): boolean {
  return /^tcp:\/\/[^/]+:\d+$/.test(text);
}

const NEVER_EMPTY: ReadonlySet<Setting['kind']> = new Set(['int', 'int-or-auto', 'bool', 'choice']);

function readAll(env: Environment, problems: string[]): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const name of NAMES) {
    const setting: Setting = SETTINGS[name];
    const given = env[name];
    const text = given === undefined || given.trim() === '' || isServiceLink(given) ? undefined : given;
    // CACHE_DIR= and the like: an empty text is a value where the default is not empty.
    const cleared = given === '' && !NEVER_EMPTY.has(setting.kind);
    const result = readSetting(setting, text ?? (cleared ? '' : setting.default));
    if (result.ok) values[name] = result.value;
    else problems.push(`${name} is ${shown(setting, given ?? '')}: expected ${expectation(setting)}`);
  }
  return values;
}

/** OpenSSL's own, which many machines set; close to TLS_CERT_FILE by accident. */
const OTHERS: ReadonlySet<string> = new Set(['SSL_CERT_FILE', 'SSL_CERT_DIR', 'SSL_KEY_FILE']);

function findMisspelt(env: Environment, problems: string[]): void {
  for (const name of Object.keys(env)) {
    if (name in SETTINGS || OTHERS.has(name) || !/^[A-Z][A-Z0-9_]+$/.test(name)) continue;
    const meant = didYouMean(name, NAMES);
    if (meant !== undefined) problems.push(`${name} is not a setting: did you mean ${meant}?`);
  }
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
}

function crossCheck(config: Config, problems: string[]): void {
  if (!isLoopback(config.HOST) && config.WRITE_TOKEN === '' && !config.ALLOW_OPEN_WRITES) {
    problems.push(
      `HOST is "${config.HOST}" and WRITE_TOKEN is not set: anyone could write. ` +
        'Set WRITE_TOKEN, or ALLOW_OPEN_WRITES=true where the network is trusted',
    );
  }
  const secretChars = config.SUBSCRIBE_JWT_SECRET.length;
  if (secretChars > 0 && secretChars < 32) {
    problems.push('SUBSCRIBE_JWT_SECRET is too short: expected at least 32 characters (RFC 7518 3.2)');
  }
  if (secretChars > 0 && config.SUBSCRIBE_JWKS_FILE !== '') {
    problems.push('SUBSCRIBE_JWT_SECRET and SUBSCRIBE_JWKS_FILE are both set: expected one of them');
  }
  if (config.SIGNED_ONLY && config.SIGNING_KEYS === '') {
    problems.push('SIGNED_ONLY is true and SIGNING_KEYS is not set: nothing could be served');
  }
  if ((config.TLS_CERT_FILE === '') !== (config.TLS_KEY_FILE === '')) {
    problems.push('TLS_CERT_FILE and TLS_KEY_FILE belong together: expected both, or neither');
  }
  if (config.METRICS_PORT !== 0 && config.METRICS_PORT === config.PORT) {
    problems.push(
      `METRICS_PORT is "${config.METRICS_PORT}", the same as PORT: give it a port of its own, or 0`,
    );
  }
}

function crossCheckClients(config: Config, problems: string[]): void {
  for (const proxy of config.TRUSTED_PROXIES) {
    if (parseIpBlock(proxy) !== undefined) continue;
    problems.push(`TRUSTED_PROXIES has "${proxy}": expected an address or a block such as 10.0.0.0/8`);
  }
}

function crossCheckOrigins(config: Config, problems: string[]): void {
  if (config.API_UPSTREAM !== '' && parseUpstream(config.API_UPSTREAM) === undefined) {
    problems.push(`API_UPSTREAM is "${config.API_UPSTREAM}": expected an address such as http://app:5000`);
  }
  for (const route of config.API_ROUTES) {
    if (parseApiRoute(route) !== undefined) continue;
    problems.push(`API_ROUTES has "${route}": expected pattern=seconds, such as /api/areas/*=3600`);
  }
}

/** Redis refuses to track overlapping prefixes, and `afterimage…` is where the rest of this server's keys are. */
function isKeyPrefix(prefix: string): boolean {
  return prefix !== '' && !prefix.startsWith('afterimage') && !'afterimage'.startsWith(prefix);
}

function crossCheckRedis(config: Config, problems: string[]): void {
  if (config.REDIS_URL !== '' && parseRedisUrl(config.REDIS_URL) === undefined) {
    problems.push(`REDIS_URL is a value of no known form: expected ${REDIS_URL_FORMS}`);
  }
  if (!isKeyPrefix(config.REDIS_KEY_PREFIX)) {
    problems.push(
      `REDIS_KEY_PREFIX is "${config.REDIS_KEY_PREFIX}": expected a text that does not overlap "afterimage", such as image:`,
    );
  }
}

/** The config, or ConfigError with every problem found. */
export function loadConfig(env: Environment): Config {
  const problems: string[] = [];
  const values = readAll(env, problems);
  findMisspelt(env, problems);
  if (problems.length > 0) throw new ConfigError(problems);
  // Every name was read by its own row's schema just above: this is where text becomes typed config.
  const config = Object.freeze(values) as unknown as Config;
  crossCheck(config, problems);
  crossCheckClients(config, problems);
  crossCheckOrigins(config, problems);
  crossCheckRedis(config, problems);
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}
