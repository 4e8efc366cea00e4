/** Arguments of a call as the name of its result. Pure. */
import { createHash } from 'node:crypto';

const DEPTH_MAX = 64;

/**
 * Hex sha-256 of the arguments in one canonical text: objects that differ only in the order of their
 * properties are the same. Throws TypeError for what has no such text (functions, class instances,
 * cycles): name those calls with `key`.
 */
export function argumentKey(args: readonly unknown[]): string {
  return hashKey(canonical(args, 0));
}

export function hashKey(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function canonical(value: unknown, depth: number): string {
  if (depth > DEPTH_MAX) throw new TypeError('arguments are nested too deeply to name their result');
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value);
  // Each with a letter of its own: 1 and 1n, and "undefined" and undefined, are different calls.
  if (typeof value === 'number') return Object.is(value, -0) ? 'n-0' : `n${value}`;
  if (typeof value === 'bigint') return `i${value}`;
  if (value === undefined) return 'u';
  if (value instanceof Date) return `d${value.getTime()}`;
  if (value instanceof Uint8Array) return `b${hashKey(Buffer.from(value).toString('latin1'))}`;
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item, depth + 1)).join(',')}]`;
  if (typeof value !== 'object' || !isPlain(value)) {
    throw new TypeError('an argument has no canonical form: name the result with `key`');
  }
  const pairs = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${pairs.map(([name, item]) => `${JSON.stringify(name)}:${canonical(item, depth + 1)}`).join(',')}}`;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
