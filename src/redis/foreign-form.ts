/**
 * In which form another program stored an image, by its first bytes. Only tells the forms apart:
 * whether the rest is sound is found out where it is decoded.
 */
import type { BodyForm } from '../core/envelope.ts';
import { sniffImage } from '../core/sniff.ts';

/** The shortest base64 of anything that could be an image. */
const BASE64_BYTES_MIN = 32;
const PROBE_BYTES = 64;

function isSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}

function isBase64(byte: number): boolean {
  const isLetter = (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);
  const isDigit = byte >= 0x30 && byte <= 0x39;
  // + / - _ =
  return (
    isLetter || isDigit || byte === 0x2b || byte === 0x2f || byte === 0x2d || byte === 0x5f || byte === 0x3d
  );
}

function startsWithText(bytes: Uint8Array, text: string): boolean {
  return Buffer.from(bytes.subarray(0, text.length)).toString('latin1').toLowerCase() === text;
}

/** Undefined: nothing that an image could be in. */
export function tellForm(value: Uint8Array): BodyForm | undefined {
  const mime = sniffImage(value);
  if (mime === 'svg') return undefined;
  if (mime !== undefined) return 'raw';
  let start = 0;
  while (start < PROBE_BYTES && isSpace(value[start] ?? 0)) start += 1;
  const text = value.subarray(start);
  if (text[0] === 0x7b) return 'json';
  if (startsWithText(text, 'data:')) return 'data-url';
  const probe = [...text.subarray(0, PROBE_BYTES), ...text.subarray(-PROBE_BYTES)];
  const isText = probe.every((byte) => isBase64(byte) || isSpace(byte));
  return isText && text.byteLength >= BASE64_BYTES_MIN ? 'base64' : undefined;
}
