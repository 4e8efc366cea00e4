/**
 * Builds the connections to Redis: one for data, one for the blocking read of the event stream, and on
 * demand the ones that hear invalidations. The only place that constructs a client of Redis.
 */
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { parseRedisUrl, type RedisAddress, type RedisTarget } from '../config/redis-url.ts';
import type { RedisClient } from '../redis/redis-client.ts';
import { createSocketConnector } from './redis-socket.ts';

export interface RedisConnectionOptions {
  /** One of the forms of REDIS_URL; '': host, port, db and password count instead. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly db: number;
  readonly password: string;
  readonly tls: boolean;
  readonly timeoutMs: number;
  /** A larger value is received as it comes, at the cost of memory. */
  readonly maxValueBytes: number;
}

export interface RedisClients {
  readonly data: RedisClient;
  readonly stream: RedisClient;
  /** A new connection to the same server as `data` (or as one node of it) that can hear invalidations. */
  subscriber(node?: Redis): Redis;
  /** True when both can be used; false when an attempt failed, or the time is over. Connecting goes on. */
  ready(waitMs: number): Promise<boolean>;
  close(): void;
}

type ConnectionOptions = Omit<RedisOptions, 'replyMapping'>;

/** Told once per change, not once per attempt. */
export type OnConnection = (name: string, state: 'ready' | 'lost', reason: string) => void;

const RETRY_MS_MIN = 5;
const RETRY_MS_MAX = 1000;
const CONNECT_MS_MIN = 1000;
/** A connection that is given up has so long to end by itself: a server that hangs never ends it. */
const DISCONNECT_MS = 50;
/** A failover is seen after this, even where no command runs into it. */
const SLOTS_REFRESH_MS = 5000;

/** At once at first, then four times as late each time, up to a second; the jitter keeps instances from coming back in step. */
function retryDelayMs(attempt: number): number {
  const delayMs = Math.min(RETRY_MS_MIN * 4 ** Math.min(attempt - 1, 5), RETRY_MS_MAX);
  return Math.round(delayMs * (0.8 + 0.4 * Math.random()));
}

function targetOf(options: RedisConnectionOptions): RedisTarget {
  const fromUrl = options.url === '' ? undefined : parseRedisUrl(options.url);
  if (options.url !== '' && fromUrl === undefined) throw new TypeError('REDIS_URL has no known form');
  return {
    mode: 'single',
    addresses: [{ host: options.host, port: options.port }],
    masterName: '',
    username: '',
    ...fromUrl,
    tls: options.tls || fromUrl?.tls === true,
    password: fromUrl?.password || options.password,
    db: fromUrl?.db ?? (fromUrl?.mode === 'cluster' ? 0 : options.db),
  };
}

/** A command fails at once when Redis is away: whoever asked has another tier, and no queue grows here. */
function connectionOptions(
  target: RedisTarget,
  { timeoutMs, maxValueBytes }: RedisConnectionOptions,
): ConnectionOptions {
  const { mode, username, password, tls, db = 0 } = target;
  return {
    // RESP3 brings nothing that is used here, and loses invalidations without a word.
    protocol: 2,
    db,
    ...(username === '' ? {} : { username }),
    ...(password === '' ? {} : { password }),
    ...(tls ? { tls: {} } : {}),
    // Sentinels need a connector of their own, TLS its own socket.
    ...(tls || mode === 'sentinel' ? {} : { Connector: createSocketConnector(maxValueBytes) }),
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    // What waits for an answer when the connection closes is rejected then, not after a reconnection.
    maxRetriesPerRequest: 0,
    commandTimeout: timeoutMs,
    connectTimeout: Math.max(CONNECT_MS_MIN, timeoutMs),
    disconnectTimeout: DISCONNECT_MS,
    retryStrategy: retryDelayMs,
    connectionName: 'afterimage',
  };
}

function sentinelOptions(target: RedisTarget): ConnectionOptions {
  return {
    sentinels: [...target.addresses],
    name: target.masterName,
    enableTLSForSentinelMode: target.tls,
    sentinelRetryStrategy: retryDelayMs,
    failoverDetector: true,
    // A master that became a replica: ask the sentinels again.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  };
}

/** A connection that is taken and then not spoken to would otherwise be waited for without end. */
function limitHandshake(connection: Redis): Redis {
  const limitMs = 2 * (connection.options.connectTimeout ?? CONNECT_MS_MIN);
  let timer: NodeJS.Timeout | undefined;
  const stop = (): void => clearTimeout(timer);
  connection.on('connect', () => {
    stop();
    timer = setTimeout(() => connection.disconnect(true), limitMs).unref();
  });
  return connection.on('ready', stop).on('close', stop);
}

function createSingle(target: RedisTarget, options: ConnectionOptions): Redis {
  const where = target.mode === 'sentinel' ? sentinelOptions(target) : target.addresses[0];
  return limitHandshake(new Redis({ ...options, ...where }));
}

function createClient(target: RedisTarget, options: ConnectionOptions): RedisClient {
  if (target.mode !== 'cluster') return createSingle(target, options);
  const cluster = new Cluster([...target.addresses], {
    redisOptions: options,
    enableOfflineQueue: false,
    clusterRetryStrategy: retryDelayMs,
    slotsRefreshInterval: SLOTS_REFRESH_MS,
    // Certificates name hosts, not addresses.
    ...(target.tls ? { dnsLookup: (address, done) => done(null, address) } : {}),
  });
  return cluster.on('+node', limitHandshake);
}

function addressOf(node: Redis): RedisAddress {
  const { host = 'localhost', port = 6379 } = node.options;
  return { host, port };
}

/** Without a listener for its errors a client prints them. */
function watch<C extends RedisClient>(client: C, name: string, onConnection: OnConnection): C {
  let state: 'ready' | 'lost' | undefined;
  let reason = '';
  const change = (to: 'ready' | 'lost'): void => {
    if (state === to) return;
    state = to;
    onConnection(name, to, to === 'lost' ? reason : '');
    reason = '';
  };
  client.on('error', (error: Error) => (reason = error.message));
  client.on('close', () => change('lost'));
  client.on('ready', () => change('ready'));
  return client;
}

/** False as soon as one attempt failed: whoever waits for a start should not wait for nothing. */
async function becomesReady(client: RedisClient, waitMs: number): Promise<boolean> {
  if (client.status === 'ready') return true;
  return new Promise((resolve) => {
    const arrived = (): void => settle(true);
    const failed = (): void => settle(false);
    const timer = setTimeout(failed, waitMs);
    const settle = (isReady: boolean): void => {
      clearTimeout(timer);
      client.off('ready', arrived).off('close', failed);
      resolve(isReady);
    };
    client.on('ready', arrived).on('close', failed);
  });
}

export function createRedisClients(
  options: RedisConnectionOptions,
  onConnection: OnConnection,
): RedisClients {
  const target = targetOf(options);
  const common = connectionOptions(target, options);
  const data = watch(createClient(target, common), 'data', onConnection);
  // A blocking read has its own deadline.
  const patient = { ...common, commandTimeout: undefined };
  const stream = watch(createClient(target, patient), 'stream', onConnection);
  const opened = new Set<RedisClient>([data, stream]);

  return {
    data,
    stream,
    subscriber(node) {
      // Subscribing again by itself after a reconnection would hide that the server has forgotten whom to tell.
      const own: ConnectionOptions = { ...common, autoResubscribe: false };
      const made =
        node === undefined
          ? createSingle(target, own)
          : createSingle({ ...target, mode: 'single', addresses: [addressOf(node)] }, own);
      opened.add(made);
      made.once('end', () => opened.delete(made));
      return watch(made, 'subscriber', onConnection);
    },
    async ready(waitMs) {
      const both = await Promise.all([data, stream].map(async (client) => becomesReady(client, waitMs)));
      return both.every(Boolean);
    },
    close() {
      for (const client of opened) client.disconnect();
    },
  };
}
