/** Values in the tiers: whatever fails there is a miss here, or a value that was not kept. */
import { createHash } from 'node:crypto';
import { abortable } from '../cache/abortable.ts';
import type { Cache } from '../cache/lookup.ts';
import type { Clock } from '../core/clock.ts';
import { isWhole } from '../core/entry.ts';
import { valueKey } from '../core/keys.ts';
import { decodeValue, encodeValue, type EncodedValue } from './value-codec.ts';

export interface KeptValue {
  readonly value: unknown;
  readonly encoded: EncodedValue;
}

export interface ValueStore {
  look(key: string): Promise<KeptValue | undefined>;
  /** False: no tier took it in time. */
  keep(key: string, encoded: EncodedValue, ttlS: number | undefined): Promise<boolean>;
  readonly counts: { hits: number; misses: number; collapsed: number; unkept: number };
  /** Waits for what is being written; misses everything from then on. */
  close(): Promise<void>;
}

export function createValueStore(cache: Cache, clock: Clock, timeoutMs: number): ValueStore {
  const counts = { hits: 0, misses: 0, collapsed: 0, unkept: 0 };
  const writing = new Set<Promise<boolean>>();
  let closed = false;

  async function find(key: string): Promise<KeptValue | undefined> {
    try {
      const found = closed ? undefined : await cache.find(valueKey(key), AbortSignal.timeout(timeoutMs));
      if (found === undefined || !isWhole(found.body)) return undefined;
      const encoded = { mime: found.entry.mime, body: found.body };
      return { value: decodeValue(encoded), encoded };
    } catch {
      // Out of reach, or written by somebody else in a form of theirs: as if it were not there.
      return undefined;
    }
  }

  async function put(key: string, { mime, body }: EncodedValue, ttlS: number | undefined): Promise<boolean> {
    const nowMs = clock.nowMs();
    const entry = {
      key: valueKey(key),
      mime,
      version: createHash('sha256').update(body).digest('hex'),
      bytes: body.byteLength,
      storedAtMs: nowMs,
      expiresAtMs: ttlS === undefined ? 0 : nowMs + Math.ceil(ttlS * 1000),
    };
    try {
      await cache.put(entry, body, AbortSignal.timeout(timeoutMs));
      return true;
    } catch {
      return false;
    }
  }

  return {
    async look(key) {
      const found = await find(key);
      if (found === undefined) counts.misses += 1;
      else counts.hits += 1;
      return found;
    },
    async keep(key, encoded, ttlS) {
      const write = closed ? Promise.resolve(false) : put(key, encoded, ttlS);
      const done = write.finally(() => writing.delete(done));
      writing.add(done);
      // A tier that hangs holds up nobody: the write goes on by itself.
      const isKept = await abortable(done, AbortSignal.timeout(timeoutMs)).catch(() => false);
      if (!isKept) counts.unkept += 1;
      return isKept;
    },
    counts,
    async close() {
      closed = true;
      await Promise.all(writing);
    },
  };
}

/** Undefined: not to be kept. */
export function tryEncode(value: unknown): EncodedValue | undefined {
  try {
    return value === undefined ? undefined : encodeValue(value);
  } catch {
    return undefined;
  }
}
