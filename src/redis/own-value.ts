/**
 * What this server itself writes under a key: a hash of version, entry and bytes, or (REDIS_FORMAT=json)
 * the JSON that other programs read. Knows no client and no key names.
 */
import { createHash } from 'node:crypto';
import { readEntryText, writeEntryText } from '../cache/entry-text.ts';
import { decodePackedBase64 } from '../core/base64.ts';
import type { Entry, Stored } from '../core/entry.ts';
import { isObject } from '../core/json.ts';

export const HASH_FIELDS = ['entry', 'bytes'] as const;
/** How the JSON begins that this server wrote: a program that parses and writes it again leaves other spaces. */
const JSON_START = '{"afterimage":"';
const IMAGE_START = ',"base64_data":"';
const IMAGE_END = '"}';
/** Entry and all: 16 topics, 4 KiB of meta and a thumbnail fit many times over. */
const HEAD_BYTES_MAX = 64 * 1024;
const VERSION_CHARS = 64;

/** Bytes of a JSON value that are enough for versionOfJson. */
export const JSON_START_BYTES: number = JSON_START.length + VERSION_CHARS;

/** The version that the JSON says it has, if this server wrote it; from its first bytes. */
export function versionOfJson(start: Uint8Array): string | undefined {
  const text = Buffer.from(start.subarray(0, JSON_START_BYTES)).toString('latin1');
  if (!text.startsWith(JSON_START)) return undefined;
  const version = text.slice(JSON_START.length);
  return /^[0-9a-f]{64}$/.test(version) ? version : undefined;
}

/** S4's form. Our own part comes first and the image last, so that neither is parsed to find the other. */
export function writeJson(entry: Entry, body: Uint8Array): string {
  const base64 = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('base64');
  const size = entry.image ? `,"width":${entry.image.width},"height":${entry.image.height}` : '';
  const head = `${JSON_START}${entry.version}","entry":${writeEntryText(entry)}`;
  return `${head},"mime_type":${JSON.stringify(entry.mime)}${size}${IMAGE_START}${base64}${IMAGE_END}`;
}

/** Undefined: not written here, or changed since; then it is read like anybody's JSON. */
export function readJson(value: Uint8Array, key: string): Stored | undefined {
  const version = versionOfJson(value);
  if (version === undefined) return undefined;
  const buffer = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  const headEnd = buffer.subarray(0, HEAD_BYTES_MAX).indexOf(IMAGE_START);
  if (headEnd === -1 || buffer.toString('latin1', buffer.length - IMAGE_END.length) !== IMAGE_END)
    return undefined;
  const entry = readHead(buffer.toString('utf8', 0, headEnd), key);
  if (entry === undefined) return undefined;
  const base64 = buffer.subarray(headEnd + IMAGE_START.length, buffer.length - IMAGE_END.length);
  const body = decodePackedBase64(base64, entry.bytes);
  if (body === undefined || entry.version !== version) return undefined;
  const isWhole = createHash('sha256').update(body).digest('hex') === version;
  return isWhole ? { entry, body } : undefined;
}

function readHead(head: string, key: string): Entry | undefined {
  try {
    const parsed: unknown = JSON.parse(`${head}}`);
    if (!isObject(parsed)) return undefined;
    const entry = readEntryText(JSON.stringify(parsed['entry'] ?? null));
    return entry?.key === key ? entry : undefined;
  } catch {
    return undefined;
  }
}

/** Undefined: not whole, or not of this key. */
export function readHash(
  entryText: Uint8Array | null | undefined,
  body: Uint8Array<ArrayBuffer> | null | undefined,
  key: string,
): Stored | undefined {
  if (!entryText || !body) return undefined;
  const entry = readEntryText(Buffer.from(entryText).toString('utf8'));
  return entry?.key === key && entry.bytes === body.byteLength ? { entry, body } : undefined;
}
