/**
 * Responses as entries of the cache, and back. A response without Vary lies under its primary key; one
 * with it under a key of its own, and the primary key then says by which headers it varies.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Cache } from '../cache/lookup.ts';
import type { BodyStream, Entry } from '../core/entry.ts';
import { primaryKey, variedKey } from './api-address.ts';
import type { ApiRequest, HeaderPairs } from './api-message.ts';

export interface KeptResponse {
  readonly status: number;
  readonly headers: HeaderPairs;
  readonly body: Uint8Array | BodyStream;
  readonly bytes: number;
  readonly version: string;
  /** When the application made it. */
  readonly madeAtMs: number;
  readonly freshUntilMs: number;
  /** Both: how long after that it may be served while it is renewed, or while the application fails. */
  readonly revalidateUntilMs: number;
  readonly errorUntilMs: number;
}

export interface ApiPlace {
  readonly primary: string;
  /** Names of request headers; [] until a response has said otherwise. */
  readonly varies: readonly string[];
  /** Where the answer to this request lies, or is to lie. */
  readonly key: string;
}

export interface ApiStore {
  /** Failures of the tiers are misses. */
  find(
    request: ApiRequest,
    signal: AbortSignal,
  ): Promise<{ readonly place: ApiPlace; readonly kept: KeptResponse | undefined }>;
  /** The place of a response that varies by these headers. */
  place(request: ApiRequest, varies: readonly string[]): ApiPlace;
  /** False: no tier took it. */
  put(place: ApiPlace, kept: KeptResponse & { readonly body: Uint8Array }): Promise<boolean>;
  /** With everything that varies from it. */
  remove(primary: string): Promise<void>;
}

const Pairs = z.array(z.tuple([z.string(), z.string()]));
const ResponseMeta = z.object({
  status: z.int(),
  headers: Pairs,
  madeAtMs: z.number(),
  freshUntilMs: z.number(),
  revalidateUntilMs: z.number(),
  errorUntilMs: z.number(),
});
const VaryMeta = z.object({ varies: z.array(z.string()) });

/** Bounds a write that the client does not wait for. */
const PUT_TIMEOUT_MS = 10_000;
const NOTHING = new Uint8Array();

export function createApiStore(cache: Cache): ApiStore {
  const place = (request: ApiRequest, varies: readonly string[]): ApiPlace => {
    const primary = primaryKey(request);
    return { primary, varies, key: varies.length === 0 ? primary : variedKey(primary, varies, request) };
  };

  const look = async (key: string, signal: AbortSignal) => {
    try {
      return await cache.find(key, signal);
    } catch (error) {
      signal.throwIfAborted();
      void error;
      return undefined;
    }
  };

  return {
    place,
    async find(request, signal) {
      const first = await look(primaryKey(request), signal);
      const marker = VaryMeta.safeParse(first?.entry.meta);
      if (!marker.success) return { place: place(request, []), kept: toKept(first) };
      const varied = place(request, marker.data.varies);
      return { place: varied, kept: toKept(await look(varied.key, signal)) };
    },
    async put(target, kept) {
      const signal = AbortSignal.timeout(PUT_TIMEOUT_MS);
      const entry = toEntry(target.key, kept);
      try {
        if (target.varies.length === 0) {
          await cache.put(entry, kept.body, signal);
        } else {
          const marker = markerOf(target, entry);
          await cache.put(marker, NOTHING, signal);
          await cache.put({ ...entry, parent: marker.key, parentVersion: marker.version }, kept.body, signal);
        }
        return true;
      } catch {
        return false;
      }
    },
    async remove(primary) {
      await cache.delete(primary, AbortSignal.timeout(PUT_TIMEOUT_MS)).catch(() => undefined);
    },
  };
}

function toKept(
  found: { readonly entry: Entry; readonly body: Uint8Array | BodyStream } | undefined,
): KeptResponse | undefined {
  const meta = ResponseMeta.safeParse(found?.entry.meta);
  if (found === undefined || !meta.success) return undefined;
  const { bytes, version } = found.entry;
  return { ...meta.data, body: found.body, bytes, version };
}

function toEntry(key: string, kept: KeptResponse): Entry {
  const { status, headers, madeAtMs, freshUntilMs, revalidateUntilMs, errorUntilMs } = kept;
  const pairs = headers.map(([name, value]) => [name, value]);
  return {
    key,
    mime: 'application/http',
    version: kept.version,
    bytes: kept.bytes,
    storedAtMs: madeAtMs,
    expiresAtMs: Math.max(freshUntilMs, revalidateUntilMs, errorUntilMs),
    meta: { status, headers: pairs, madeAtMs, freshUntilMs, revalidateUntilMs, errorUntilMs },
  };
}

/** Its version names the headers, so that answers of before the application changed them are dropped. */
function markerOf(place: ApiPlace, entry: Entry): Entry {
  const version = createHash('sha256').update(place.varies.join(',')).digest('hex');
  const { storedAtMs, expiresAtMs } = entry;
  const meta = { varies: place.varies };
  return { key: place.primary, mime: 'application/http', version, bytes: 0, storedAtMs, expiresAtMs, meta };
}
