/**
 * What stands in Redis under an image's id, at the cost of a few bytes, and what all instances agree on
 * about it: who looks after it, and which version was announced last.
 */
import { imageKey } from '../core/keys.ts';
import { JSON_START_BYTES, versionOfJson } from './own-value.ts';
import { isCluster, isReplyError, type RedisClient } from './redis-client.ts';
import { GONE, type RedisKeys } from './redis-keys.ts';
import { GONE_TTL_MS, versionNoteTtlMs } from './redis-notes.ts';

export type ImageState =
  /** Written by an instance of this server, which announced it itself. */
  | { readonly kind: 'own'; readonly version: string }
  | { readonly kind: 'foreign' }
  | { readonly kind: 'missing' };

export interface ImageStates {
  look(id: string): Promise<ImageState>;
  /** True: this instance looks after the image for the next while, also after changes to come. */
  claim(id: string): Promise<boolean>;
  /** Notes the version as announced. False: it was noted already. */
  noteVersion(id: string, version: string): Promise<boolean>;
  /** It was noted, and then could not be announced. */
  forget(id: string): Promise<void>;
  /**
   * Notes that it is gone. False: it was noted already, images are being cleared out, or it may never have
   * been here: what happens in another database of the same Redis is heard of as well.
   */
  noteGone(id: string): Promise<boolean>;
}

export interface ImageStatesOptions {
  readonly keys: RedisKeys;
  /** Tells this instance from the others. */
  readonly instance: string;
  readonly claimMs: number;
  readonly defaultTtlMs: number;
}

export function createImageStates(client: RedisClient, options: ImageStatesOptions): ImageStates {
  const { keys, instance } = options;
  const noteTtlMs = versionNoteTtlMs(options.defaultTtlMs);

  return {
    async look(id) {
      const redisKey = keys.toRedis(imageKey(id));
      const [field, start] = await Promise.allSettled([
        client.hget(redisKey, 'version'),
        client.getrangeBuffer(redisKey, 0, JSON_START_BYTES - 1),
      ]);
      for (const reply of [field, start]) {
        if (reply.status === 'rejected' && !isReplyError(reply.reason, 'WRONGTYPE')) throw reply.reason;
      }
      const isText = field.status === 'rejected' && start.status === 'fulfilled';
      const version = isText ? versionOfJson(start.value) : field.status === 'fulfilled' ? field.value : null;
      if (typeof version === 'string') return { kind: 'own', version };
      const isMissing = field.status === 'fulfilled' && start.status === 'fulfilled';
      return { kind: isMissing ? 'missing' : 'foreign' };
    },
    async claim(id) {
      const claim = keys.claim(id);
      const [, holder] = await Promise.all([
        client.set(claim, instance, 'PX', options.claimMs, 'NX'),
        client.get(claim),
      ]);
      return holder === instance;
    },
    async noteVersion(id, version) {
      const before = await client.set(keys.announced(id), version, 'PX', noteTtlMs, 'GET');
      return before !== version;
    },
    async forget(id) {
      await client.unlink(keys.announced(id));
    },
    async noteGone(id) {
      const [before, isClearing] = await Promise.all([
        client.set(keys.announced(id), GONE, 'PX', GONE_TTL_MS, 'GET'),
        client.exists(keys.clearing),
      ]);
      if (before === GONE || isClearing !== 0) return false;
      return before !== null || !(await hasOtherDatabases(client));
    },
  };
}

/** A cluster has one. Where Redis may not be asked, it is taken to have no other. */
async function hasOtherDatabases(client: RedisClient): Promise<boolean> {
  if (isCluster(client)) return false;
  try {
    const own = `db${client.options.db ?? 0}`;
    const lines = (await client.info('keyspace')).split('\r\n');
    return lines.some((line) => line.startsWith('db') && !line.startsWith(`${own}:`));
  } catch (error) {
    if (isReplyError(error, 'NOPERM')) return false;
    throw error;
  }
}
