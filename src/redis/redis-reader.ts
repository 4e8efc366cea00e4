/**
 * Reads a key of the cache out of Redis, in whatever form another program stored it, or our own. Knows
 * forms and types; writing is its sibling's business.
 */
import type { Clock } from '../core/clock.ts';
import type { Entry, ImageFacts, Stored } from '../core/entry.ts';
import type { BodyForm, Envelope } from '../core/envelope.ts';
import { AppError, errorRow } from '../errors.ts';
import { tellForm } from './foreign-form.ts';
import { readHash, readJson } from './own-value.ts';
import { createValueReading } from './read-value.ts';
import { ownBytes, type RedisClient } from './redis-client.ts';
import { isImageKey, type RedisKeys } from './redis-keys.ts';

/** An image that another program stored, taken out of its form. */
export interface ForeignImage {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly mime: string;
  readonly version: string;
  readonly image?: ImageFacts;
  readonly envelope: Envelope;
}

export interface RedisReaderDeps {
  readonly client: RedisClient;
  readonly clock: Clock;
  /** Takes the body over. AppError for what is no sound image. */
  readonly decode: (
    key: string,
    body: Uint8Array<ArrayBuffer>,
    form: BodyForm,
    signal: AbortSignal,
  ) => Promise<ForeignImage>;
  /** A value under the key of an image that is none. */
  readonly onUnreadable: (key: string, reason: string) => void;
}

export interface RedisReader {
  get(key: string, signal: AbortSignal): Promise<Stored | undefined>;
  readonly counts: Readonly<ReadCounts>;
}

interface ReadCounts {
  hits: number;
  misses: number;
  foreignReads: number;
  unreadable: number;
  /** Larger than REDIS_MAX_VALUE_MB. */
  oversized: number;
}

/** The earlier of what the entry and what Redis say. */
function withExpiry(entry: Entry, ttlMs: number, nowMs: number): Entry {
  if (ttlMs < 0) return entry;
  const goneAtMs = nowMs + ttlMs;
  const isSooner = entry.expiresAtMs === 0 || goneAtMs < entry.expiresAtMs;
  return isSooner ? { ...entry, expiresAtMs: goneAtMs } : entry;
}

function describe(key: string, found: ForeignImage, nowMs: number): Entry {
  const { bytes, mime, version, image, envelope } = found;
  const { topics, meta } = envelope;
  return {
    key,
    mime,
    version,
    bytes: bytes.byteLength,
    storedAtMs: nowMs,
    expiresAtMs: 0,
    ...(image ? { image } : {}),
    ...(topics ? { topics } : {}),
    ...(meta ? { meta } : {}),
  };
}

export function createRedisReader(
  keys: RedisKeys,
  maxValueBytes: number,
  deps: RedisReaderDeps,
): RedisReader {
  const { client, clock } = deps;
  const reading = createValueReading(client, maxValueBytes);
  const counts: ReadCounts = { hits: 0, misses: 0, foreignReads: 0, unreadable: 0, oversized: 0 };

  async function readForeign(key: string, text: Buffer, signal: AbortSignal): Promise<Stored | undefined> {
    counts.foreignReads += 1;
    try {
      const form = tellForm(text);
      if (form === undefined) throw new AppError('not_an_image');
      const found = await deps.decode(key, ownBytes(text), form, signal);
      return { entry: describe(key, found, clock.nowMs()), body: found.bytes };
    } catch (error) {
      // What its writer got wrong is a miss; what went wrong here is not its fault.
      if (!(error instanceof AppError) || errorRow(error.code).status >= 500) throw error;
      counts.unreadable += 1;
      deps.onUnreadable(key, error.code);
      return undefined;
    }
  }

  async function readText(key: string, text: Buffer, signal: AbortSignal): Promise<Stored | undefined> {
    if (text.byteLength > maxValueBytes) {
      counts.oversized += 1;
      deps.onUnreadable(key, 'value_too_large');
      return undefined;
    }
    return readJson(text, key) ?? readForeign(key, text, signal);
  }

  return {
    counts,
    async get(key, signal) {
      signal.throwIfAborted();
      const redisKey = keys.toRedis(key);
      const { hash, text, ttlMs } = await (isImageKey(key)
        ? reading.either(redisKey)
        : reading.hash(redisKey));
      const body = hash?.[1];
      const stored =
        text === undefined
          ? readHash(hash?.[0], body ? ownBytes(body) : undefined, key)
          : await readText(key, text, signal);
      counts[stored === undefined ? 'misses' : 'hits'] += 1;
      return stored && { ...stored, entry: withExpiry(stored.entry, ttlMs, clock.nowMs()) };
    },
  };
}
