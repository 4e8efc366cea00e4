/**
 * Which Redis key stands for which key of the cache, and the names of what this server keeps for itself.
 * Images are where other programs look for them; everything else is under `afterimage`.
 */
import { imageKey } from '../core/keys.ts';

const IMAGE = 'image:';
/** Values, renderings, partials. Nothing else may be under it: each change of it is told to every instance. */
const OWN = 'afterimage:';

export interface RedisKeys {
  /** What an instance has to hear about. They may not overlap. */
  readonly trackedPrefixes: readonly string[];
  /** Exists for a millisecond, to see that changes are heard of. */
  readonly probe: (instance: string) => string;
  toRedis(cacheKey: string): string;
  /** Undefined: not a key of the cache. */
  toCache(redisKey: string): string | undefined;
  /** The renderings made from a key, by the time they expire: a sorted set. */
  children(cacheKey: string): string;
  /** The version of an image that subscribers were last told of; `-` when told that it is gone. */
  announced(id: string): string;
  /** Which instance looks after the changes of an image. */
  claim(id: string): string;
  /** A ticket that opens one stream, by its digest. */
  ticket(digest: string): string;
  /** The stream of events. */
  readonly events: string;
  /** The cursor at which the history in that stream began. */
  readonly eventsBegan: string;
  /** Exists while images are cleared out of the cache, which is not news to anyone. */
  readonly clearing: string;
}

export const GONE = '-';

export function isImageKey(cacheKey: string): boolean {
  return cacheKey.startsWith(IMAGE);
}

/** The id of a key for which isImageKey holds. */
export function idOfImageKey(cacheKey: string): string {
  return cacheKey.slice(IMAGE.length);
}

export function createRedisKeys(imagePrefix: string): RedisKeys {
  const probes = `${OWN}probe:`;
  return {
    trackedPrefixes: [imagePrefix, OWN],
    probe: (instance) => probes + instance,
    toRedis: (cacheKey) =>
      isImageKey(cacheKey) ? imagePrefix + idOfImageKey(cacheKey) : `${OWN}${cacheKey}`,
    toCache(redisKey) {
      if (redisKey.startsWith(imagePrefix)) return imageKey(redisKey.slice(imagePrefix.length));
      if (!redisKey.startsWith(OWN) || redisKey.startsWith(probes)) return undefined;
      return redisKey.slice(OWN.length);
    },
    children: (cacheKey) => `afterimage-children:${cacheKey}`,
    announced: (id) => `afterimage-announced:${id}`,
    claim: (id) => `afterimage-claim:${id}`,
    ticket: (digest) => `afterimage-ticket:${digest}`,
    events: 'afterimage-events',
    eventsBegan: 'afterimage-events-began',
    clearing: 'afterimage-clearing',
  };
}
