/**
 * Reads a key that may be of either type, with what is left of its life, in one round trip: asks for the
 * type that keys were of lately, and for both while they are mixed. Knows commands, not what values mean.
 */
import { HASH_FIELDS } from './own-value.ts';
import { isCluster, isReplyError, type RedisClient } from './redis-client.ts';

/** What a key held when it was read; `ttlMs` as PTTL says it. */
export interface Reply {
  readonly hash: readonly (Buffer | null)[] | undefined;
  readonly text: Buffer | undefined;
  readonly ttlMs: number;
}

export interface ValueReading {
  hash(redisKey: string): Promise<Reply>;
  /** A text over `maxValueBytes` comes cut off, one byte longer than that. */
  either(redisKey: string): Promise<Reply>;
}

/** After a key of the other type this many are read as both: each refusal costs a round trip else. */
const MIXED_READS = 64;

/** What is asked within goes out in one write: the second costs more than the answer to it. */
function inOneWrite<T>(client: RedisClient, ask: () => T): T {
  if (isCluster(client)) return ask();
  const { stream } = client;
  stream?.cork();
  try {
    return ask();
  } finally {
    stream?.uncork();
  }
}

export function createValueReading(client: RedisClient, maxValueBytes: number): ValueReading {
  let lately: 'hash' | 'text' = 'hash';
  let mixedReads = 0;

  const fields = async (redisKey: string) => client.hmgetBuffer(redisKey, ...HASH_FIELDS);
  const bytes = async (redisKey: string) => client.getrangeBuffer(redisKey, 0, maxValueBytes);

  async function readHash(redisKey: string): Promise<Reply> {
    const asked = inOneWrite(client, () => [fields(redisKey), client.pttl(redisKey)] as const);
    const [hash, ttlMs] = await Promise.all(asked);
    return { hash, text: undefined, ttlMs };
  }

  async function readText(redisKey: string): Promise<Reply> {
    const asked = inOneWrite(client, () => [bytes(redisKey), client.pttl(redisKey)] as const);
    const [text, ttlMs] = await Promise.all(asked);
    return { hash: undefined, text: text.byteLength > 0 ? text : undefined, ttlMs };
  }

  /** The read of the other type is refused at once and costs no bytes. */
  async function readBoth(redisKey: string): Promise<Reply> {
    const asked = inOneWrite(
      client,
      () => [fields(redisKey), bytes(redisKey), client.pttl(redisKey)] as const,
    );
    const [hash, text, ttl] = await Promise.allSettled(asked);
    for (const reply of [hash, text, ttl]) {
      if (reply.status === 'rejected' && !isReplyError(reply.reason, 'WRONGTYPE')) throw reply.reason;
    }
    const found = {
      hash: hash.status === 'fulfilled' ? hash.value : undefined,
      text: text.status === 'fulfilled' && text.value.byteLength > 0 ? text.value : undefined,
      ttlMs: ttl.status === 'fulfilled' ? ttl.value : -1,
    };
    if (text.status === 'rejected') lately = 'hash';
    else if (hash.status === 'rejected') lately = 'text';
    return found;
  }

  async function readLikely(redisKey: string): Promise<Reply | undefined> {
    if (mixedReads > 0) {
      mixedReads -= 1;
      return undefined;
    }
    try {
      return await (lately === 'hash' ? readHash(redisKey) : readText(redisKey));
    } catch (error) {
      if (!isReplyError(error, 'WRONGTYPE')) throw error;
      mixedReads = MIXED_READS;
      return undefined;
    }
  }

  return {
    hash: readHash,
    async either(redisKey) {
      const likely = await readLikely(redisKey);
      if (likely !== undefined) return likely;
      const reply = await readBoth(redisKey);
      const isNeither = reply.hash === undefined && reply.text === undefined;
      // It became one type while it was read as the other.
      return isNeither ? readBoth(redisKey) : reply;
    },
  };
}
