/** What the other parts here need to know of a connection: one server or a cluster, and whose error it was. */
import type { Cluster, Redis } from 'ioredis';

export type RedisClient = Redis | Cluster;

export function isCluster(client: RedisClient): client is Cluster {
  return client.isCluster;
}

/** The servers that hold the keys, each once. */
export function masters(client: RedisClient): readonly Redis[] {
  return isCluster(client) ? client.nodes('master') : [client];
}

/** Redis answered with this error: the connection is sound, the command was not. */
export function isReplyError(error: unknown, code: string): boolean {
  return error instanceof Error && error.message.startsWith(code);
}

/** Redis is full: the answer of a command, or, inside a transaction, the reason why all of it was refused. */
export function isOutOfMemory(error: unknown): boolean {
  if (isReplyError(error, 'OOM')) return true;
  const reasons = error instanceof Error && 'previousErrors' in error ? error.previousErrors : [];
  return Array.isArray(reasons) && reasons.some((reason) => isReplyError(reason, 'OOM'));
}

/** What a value ends with on the wire, and what a large one therefore has behind it (src/redis/whole-replies.ts). */
const LINE_END_BYTES = 2;

/**
 * The bytes in an ArrayBuffer of their own, which ends with them or a line end later. Short replies are
 * slices of a buffer that they share; long ones have theirs, and can be transferred as they are.
 */
export function ownBytes(reply: Buffer): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset, byteLength } = reply;
  const isOwn =
    buffer instanceof ArrayBuffer && byteOffset === 0 && buffer.byteLength <= byteLength + LINE_END_BYTES;
  return isOwn ? new Uint8Array(buffer, 0, byteLength) : new Uint8Array(reply);
}

/** The same bytes as a Buffer, which is what the client sends without turning it into text. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
