/** What the package gives to other programs: the cache for values and results, without HTTP. */
export { cacheResult } from './library/default-cache.ts';
export {
  createCache,
  type CreateCacheOptions,
  type ValueCache,
  type ValueCacheStats,
} from './library/create-cache.ts';
