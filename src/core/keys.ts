/**
 * Names of what is kept. The namespace comes first and the caller's text last, so no id can be made
 * to look like a key of another namespace.
 */

/** The original of an image. Also the Redis key of it, under the default REDIS_KEY_PREFIX. */
export function imageKey(id: string): string {
  return `image:${id}`;
}

/** The newest partial of an image that is not final yet. */
export function partialKey(id: string): string {
  return `partial:${id}`;
}

/** A rendering: bound to the bytes it was made from, so a replaced image never serves an old variant. */
export function variantKey(id: string, sourceVersion: string, canonicalVariant: string): string {
  return `variant:${canonicalVariant}:${sourceVersion.slice(0, 32)}:${id}`;
}

/** A value of the cache for anything. */
export function valueKey(key: string): string {
  return `cache:${key}`;
}

/** A response of the upstream application, or what it varies by. */
export function apiKey(address: string): string {
  return `api:${address}`;
}
