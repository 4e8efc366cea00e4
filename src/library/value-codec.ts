/**
 * Values as bytes and back: what JSON keeps exactly is JSON (readable in Redis, and over HTTP under
 * /cache/), bytes are bytes, everything else that can be cloned takes the form of V8's serializer.
 */
import { deserialize, serialize } from 'node:v8';

export interface EncodedValue {
  readonly mime: string;
  readonly body: Uint8Array;
}

const JSON_MIME = 'application/json';
const BYTES_MIME = 'application/octet-stream';
const CLONE_MIME = 'application/vnd.afterimage.clone';
/** Deeper values are not JSON to us: the check must not overflow the stack. */
const DEPTH_MAX = 64;

/** Throws for what cannot be cloned: functions, promises, sockets. */
export function encodeValue(value: unknown): EncodedValue {
  // A subclass (Buffer) would come back as what it is not.
  if (isBytes(value)) return { mime: BYTES_MIME, body: new Uint8Array(value) };
  if (isExactInJson(value, 0)) return { mime: JSON_MIME, body: Buffer.from(JSON.stringify(value)) };
  return { mime: CLONE_MIME, body: serialize(value) };
}

/** Throws for what was not written by encodeValue. */
export function decodeValue({ mime, body }: EncodedValue): unknown {
  const buffer = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (mime === JSON_MIME) return JSON.parse(buffer.toString()) as unknown;
  if (mime === CLONE_MIME) return deserialize(buffer) as unknown;
  // A copy: what is kept must not change with what is handed out.
  if (mime === BYTES_MIME) return new Uint8Array(body);
  throw new TypeError(`a value of type ${mime} was not stored by this library`);
}

function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array && Object.getPrototypeOf(value) === Uint8Array.prototype;
}

/** Whether JSON gives back the same value: no Date, Map, undefined, NaN, -0, class or hole in it. */
function isExactInJson(value: unknown, depth: number): boolean {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return true;
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0);
  if (typeof value !== 'object' || depth > DEPTH_MAX) return false;
  if (Array.isArray(value)) {
    const isDense = Object.keys(value).length === value.length;
    return isDense && value.every((item) => isExactInJson(item, depth + 1));
  }
  return isPlain(value) && Object.values(value).every((item) => isExactInJson(item, depth + 1));
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  const hasOnlyNames =
    Object.getOwnPropertySymbols(value).length === 0 &&
    !('toJSON' in value) &&
    !Object.hasOwn(value, '__proto__');
  return prototype === Object.prototype && hasOnlyNames;
}
