/** `cacheResult` without a cache of one's own: one in memory for the process, made when first needed. */
import { createCache, type ValueCache } from './create-cache.ts';
import type { AsyncFunction, CacheResultOptions } from './cached-function.ts';

let shared: ValueCache | undefined;

/** As ValueCache.cacheResult, in `cache` or in one that all such functions of the process share. */
export function cacheResult<A extends readonly unknown[], R>(
  fn: AsyncFunction<A, R>,
  options: CacheResultOptions<A> & { readonly cache?: ValueCache },
): (...args: A) => Promise<R> {
  const { cache = (shared ??= createCache()), ...wrapping } = options;
  return cache.cacheResult(fn, wrapping);
}
