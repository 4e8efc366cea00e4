/**
 * What one client may have of the work that costs: lookups below memory, renderings, uploads, and how
 * many of them at a time. Buckets as GCRA has them: one number each, so no timer runs for a client, and a
 * forgotten client is one whose buckets are full. What memory answers never comes here.
 */
import type { Clock } from '../core/clock.ts';
import { RateLimited } from './rate-limited.ts';

const KINDS = ['misses', 'renders', 'uploads'] as const;
type Kind = (typeof KINDS)[number];

export interface ClientLimitOptions {
  /** A second, on average; 0: no limit. */
  readonly perSecond: Readonly<Record<Kind, number>>;
  /** Requests of all kinds at a time; 0: no limit. */
  readonly concurrent: number;
}

/** Takes one of the client's share, once for each kind and request. RateLimited when there is none left. */
export type Spend = (kind: Kind) => void;

export interface ClientLimitsStats {
  /** Clients that are remembered. */
  readonly known: number;
  readonly refused: Readonly<Record<Kind | 'concurrent', number>>;
}

export interface ClientLimits {
  /** Runs one request of a client, who is asked for where it counts; begins it before it returns. */
  run<T>(client: () => string, work: (spend: Spend) => Promise<T>): Promise<T>;
  stats(): ClientLimitsStats;
}

/** Of one server: who shows a write token is not held up. */
export interface ReadWriteLimits {
  readonly reads: ClientLimits;
  readonly writes: ClientLimits;
}

interface Client {
  running: number;
  /** When each bucket is full again, had nothing more been taken. */
  readonly fullAtMs: Record<Kind, number>;
}

/** A bucket holds what comes in so many seconds: a page may ask for all its images at once. */
const WINDOW_S = 10;
const WINDOW_MS = WINDOW_S * 1000;
/** Those who came last; about two megabytes. More than that at a time are for the limits of the whole server. */
const CLIENTS_MAX = 10_000;
/** Fractions of a millisecond add up to less. */
const ROUNDING_MS = 0.001;
const CONCURRENT_RETRY_S = 1;
const nothing = (): void => undefined;

function refuseRate(kind: Kind, perSecond: number, waitMs: number): never {
  const waitS = Math.max(1, Math.ceil(waitMs / 1000));
  throw new RateLimited(`This address may have ${perSecond} ${kind} a second: ask again after Retry-After.`, [
    ['Retry-After', String(waitS)],
    ['RateLimit-Policy', `"${kind}";q=${perSecond * WINDOW_S};w=${WINDOW_S}`],
    ['RateLimit', `"${kind}";r=0;t=${waitS}`],
  ]);
}

function refuseConcurrent(limit: number): never {
  throw new RateLimited(
    `This address may have ${limit} requests at a time that cost work: wait for their answers.`,
    [
      ['Retry-After', String(CONCURRENT_RETRY_S)],
      ['RateLimit-Policy', `"concurrent";q=${limit};qu="concurrent-requests"`],
      ['RateLimit', '"concurrent";r=0'],
    ],
  );
}

/** The clients that came last. One that is forgotten while it runs keeps its own count to its end. */
function createClients(): { of(name: string): Client; size(): number } {
  const clients = new Map<string, Client>();
  return {
    of(name) {
      const client = clients.get(name) ?? { running: 0, fullAtMs: { misses: 0, renders: 0, uploads: 0 } };
      clients.delete(name);
      clients.set(name, client);
      const [eldest] = clients.keys();
      if (clients.size > CLIENTS_MAX && eldest !== undefined) clients.delete(eldest);
      return client;
    },
    size: () => clients.size,
  };
}

export function createClientLimits(options: ClientLimitOptions, clock: Clock): ClientLimits {
  const { perSecond, concurrent } = options;
  const clients = createClients();
  const refused = { misses: 0, renders: 0, uploads: 0, concurrent: 0 };
  const isLimited = concurrent > 0 || KINDS.some((kind) => perSecond[kind] > 0);

  function enter(client: Client): void {
    if (concurrent > 0 && client.running >= concurrent) {
      refused.concurrent += 1;
      refuseConcurrent(concurrent);
    }
    client.running += 1;
  }

  function take(client: Client, kind: Kind): void {
    if (perSecond[kind] === 0) return;
    const nowMs = clock.nowMs();
    const costMs = 1000 / perSecond[kind];
    // Bounded both ways: a clock that was set back must not shut anybody out for as long.
    const owedMs = Math.min(WINDOW_MS, Math.max(0, client.fullAtMs[kind] - nowMs));
    const waitMs = owedMs + costMs - WINDOW_MS;
    client.fullAtMs[kind] = nowMs + owedMs;
    if (waitMs > ROUNDING_MS) {
      refused[kind] += 1;
      refuseRate(kind, perSecond[kind], waitMs);
    }
    client.fullAtMs[kind] += costMs;
  }

  return {
    async run(nameOf, work) {
      if (!isLimited) return work(nothing);
      const spent = new Set<Kind>();
      let client: Client | undefined;
      try {
        return await work((kind) => {
          if (spent.has(kind)) return;
          if (client === undefined) {
            const known = clients.of(nameOf());
            enter(known);
            client = known;
          }
          take(client, kind);
          spent.add(kind);
        });
      } finally {
        if (client !== undefined) client.running -= 1;
      }
    },
    stats: () => ({ known: clients.size(), refused: { ...refused } }),
  };
}
