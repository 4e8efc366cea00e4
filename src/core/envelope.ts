/**
 * What producers wrap an image in (JSON, data URL, bare base64), taken off. Knows nothing of threads:
 * workers call it for every upload, and whoever reads a small value from Redis calls it inline.
 */
import { isAscii } from 'node:buffer';
import { z } from 'zod';
import { AppError } from '../errors.ts';
import { decodeBase64, decodePackedBase64 } from './base64.ts';
import { dataUrlPayload, isDataUrl } from './data-url.ts';
import { checkMeta } from './event.ts';
import { isObject, parseModestJson, type JsonObject } from './json.ts';
import { liftImage } from './lift-image.ts';
import { TOPICS_PER_IMAGE_MAX, TTL_S_MAX } from './limits.ts';
import { checkTopic } from './topic.ts';

/** How the image lies in the bytes that came in. */
export type BodyForm = 'raw' | 'json' | 'data-url' | 'base64';

/** What a JSON envelope said besides the image; checked. */
export interface Envelope {
  readonly topics?: readonly string[];
  readonly ttlS?: number;
  readonly meta?: JsonObject;
}

export interface Unwrapped {
  /** Its ArrayBuffer is its own; for `raw` it is the body itself. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly envelope: Envelope;
}

/**
 * Up to this size a wrapped body that needs no preview is unwrapped where it is. Processor time of lifting
 * the image out, decoding and hashing it (Node 20.20): 0.01 ms for an image of 16 KiB, 0.05 at 64 KiB,
 * 0.19 at 256 KiB, 0.27 at 384 KiB, 0.8 at 1 MiB. A worker costs whoever waits that and a round trip
 * (bench/micro/ingest-threshold.ts); here it holds up everybody else, but for no longer than a third of
 * a millisecond. An upload goes to a worker at any size: its preview needs the pixels, so one trip does it all.
 */
export const INLINE_DECODE_BYTES_MAX = 512 * 1024;

const IMAGE_FIELDS = ['base64_data', 'b64_json', 'image_data', 'data'] as const;
/** More than a data URL may have before its comma. */
const DATA_URL_HEAD_CHARS = 512;
const IMAGE_FIELD = new RegExp(`"(?:${IMAGE_FIELDS.join('|')})"[ \\t\\r\\n]*:[ \\t\\r\\n]*"`);

const AROUND_IMAGE = z.object({
  mime_type: z.string().nullish(),
  topics: z.array(z.string()).max(TOPICS_PER_IMAGE_MAX).nullish(),
  ttl: z.number().int().min(1).max(TTL_S_MAX).nullish(),
  // Parsed from JSON a moment ago: that it is an object is all that is left to check.
  meta: z.custom<JsonObject>(isObject, 'expected an object').nullish(),
});

/** The image and what is said about it, out of a body; AppError for what the sender got wrong. */
export function unwrapImage(body: Uint8Array<ArrayBuffer>, form: BodyForm, limitBytes: number): Unwrapped {
  if (body.byteLength === 0) throw new AppError('body_empty');
  switch (form) {
    case 'raw':
      if (body.byteLength > limitBytes) throw new AppError('image_too_large');
      return { bytes: body, envelope: {} };
    case 'base64':
      return { bytes: decodeBareBase64(body, limitBytes), envelope: {} };
    case 'data-url':
      return {
        bytes: decodeBase64(dataUrlPayload(oneByteText(body).trimStart()), limitBytes),
        envelope: {},
      };
    case 'json':
      return unwrapJson(body, limitBytes);
  }
}

/** White space or a mistake: as text, which tells the one from the other. */
function decodeBareBase64(body: Uint8Array<ArrayBuffer>, limitBytes: number): Uint8Array<ArrayBuffer> {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  return decodePackedBase64(bytes, limitBytes) ?? decodeBase64(oneByteText(body), limitBytes);
}

function unwrapJson(body: Uint8Array<ArrayBuffer>, limitBytes: number): Unwrapped {
  const parse = (): Unwrapped =>
    unwrapParsed(parseJson(body), (fields) => decodeImageText(imageText(fields), limitBytes));
  return unwrapLifted(body, limitBytes) ?? parse();
}

/** Undefined: to be parsed as a whole, which also finds the words for what is wrong with it. */
function unwrapLifted(body: Uint8Array<ArrayBuffer>, limitBytes: number): Unwrapped | undefined {
  const lifted = liftImage(body, IMAGE_FIELD, imageText);
  if (lifted === undefined) return undefined;
  try {
    return unwrapParsed(lifted.around, () => decodeLifted(lifted.image, limitBytes));
  } catch {
    return undefined;
  }
}

function decodeImageText(text: string, limitBytes: number): Uint8Array<ArrayBuffer> {
  return decodeBase64(isDataUrl(text) ? dataUrlPayload(text) : text, limitBytes);
}

/** White space is refused: base64 allows more of it than JSON does between quotes. */
function decodeLifted(image: Buffer, limitBytes: number): Uint8Array<ArrayBuffer> {
  const head = image.toString('latin1', 0, DATA_URL_HEAD_CHARS);
  const payloadAt = isDataUrl(head) ? head.length - dataUrlPayload(head).length : 0;
  const bytes = decodePackedBase64(image.subarray(payloadAt), limitBytes);
  if (bytes === undefined) throw new AppError('base64_invalid');
  return bytes;
}

function unwrapParsed(
  parsed: unknown,
  decode: (fields: Record<string, unknown>) => Uint8Array<ArrayBuffer>,
): Unwrapped {
  const around = AROUND_IMAGE.safeParse(parsed);
  if (!around.success || !isObject(parsed)) {
    const issue = around.error?.issues[0];
    const where = issue === undefined || issue.path.length === 0 ? 'body' : issue.path.join('.');
    throw new AppError('json_invalid', `${where}: ${issue?.message ?? 'expected an object'}.`);
  }
  const { topics, ttl, meta } = around.data;
  const envelope: Envelope = {
    ...(topics ? { topics: topics.map(checkTopic) } : {}),
    ...(ttl ? { ttlS: ttl } : {}),
    ...(meta ? { meta: checkNestedMeta(meta) } : {}),
  };
  return { bytes: decode(parsed), envelope };
}

function parseJson(body: Uint8Array<ArrayBuffer>): unknown {
  try {
    const text = isAscii(body) ? oneByteText(body) : new TextDecoder('utf-8', { fatal: true }).decode(body);
    return parseModestJson(text);
  } catch (error) {
    throw new AppError('json_invalid', undefined, error);
  }
}

function imageText(fields: Record<string, unknown>): string {
  for (const name of IMAGE_FIELDS) {
    const value = fields[name];
    if (typeof value === 'string' && value !== '') return value;
  }
  throw new AppError('envelope_without_image');
}

/** A meta nested a hundred thousand deep parses, but overflows the stack of whoever walks it. */
function checkNestedMeta(meta: JsonObject): JsonObject {
  try {
    return checkMeta(meta);
  } catch (error) {
    throw error instanceof AppError ? error : new AppError('event_invalid', undefined, error);
  }
}

/** One char a byte: no UTF-8 to decode, and what is not ASCII is no base64 anyway. */
function oneByteText(body: Uint8Array<ArrayBuffer>): string {
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('latin1');
}
