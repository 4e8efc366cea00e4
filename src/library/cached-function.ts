/**
 * A function whose results are kept: one call for each set of arguments at a time, everybody else waits
 * for it. What the function throws, its callers get; what the cache throws, nobody does.
 */
import { argumentKey, hashKey } from './argument-key.ts';
import { decodeValue, type EncodedValue } from './value-codec.ts';
import { tryEncode, type ValueStore } from './value-store.ts';

export type AsyncFunction<A extends readonly unknown[], R> = (...args: A) => Promise<R> | R;

export interface CacheResultOptions<A extends readonly unknown[]> {
  /** Begins the key of each result, so that `clear('prefix:*')` forgets all of them. */
  readonly prefix: string;
  /** Seconds that a result is good for. */
  readonly ttl: number;
  /** Names the result of a call, where its arguments as JSON do not. It is hashed too. */
  readonly key?: (...args: A) => string;
}

interface Outcome<R> {
  readonly value: R;
  /** Undefined: not to be kept. */
  readonly encoded: EncodedValue | undefined;
}

export function wrapFunction<A extends readonly unknown[], R>(
  fn: AsyncFunction<A, R>,
  options: CacheResultOptions<A>,
  store: Pick<ValueStore, 'look' | 'keep' | 'counts'>,
): (...args: A) => Promise<R> {
  const { prefix, ttl, key } = options;
  if (!(ttl > 0)) throw new RangeError('ttl is seconds, above 0');
  const underWay = new Map<string, Promise<Outcome<R>>>();

  const nameOf = (args: A): string | undefined => {
    try {
      return `${prefix}:${key === undefined ? argumentKey(args) : hashKey(key(...args))}`;
    } catch {
      return undefined;
    }
  };

  const run = async (name: string, args: A): Promise<Outcome<R>> => {
    const found = await store.look(name);
    // What lies under this name this function gave: it is a digest of prefix and arguments.
    if (found !== undefined) return { ...found, value: found.value as R };
    const value = await fn(...args);
    const encoded = tryEncode(value);
    if (encoded === undefined) store.counts.unkept += 1;
    else await store.keep(name, encoded, ttl);
    return { value, encoded };
  };

  const begin = async (name: string, args: A): Promise<Outcome<R>> => {
    const outcome = run(name, args).finally(() => underWay.delete(name));
    underWay.set(name, outcome);
    return outcome;
  };

  return async (...args) => {
    const name = nameOf(args);
    if (name === undefined) {
      store.counts.unkept += 1;
      return fn(...args);
    }
    const shared = underWay.get(name);
    if (shared === undefined) return (await begin(name, args)).value;
    store.counts.collapsed += 1;
    const { value, encoded } = await shared;
    // A copy for each, so that what one caller changes the other does not see; of the same type, R.
    return encoded === undefined ? value : (decodeValue(encoded) as R);
  };
}
