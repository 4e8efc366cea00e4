/**
 * Strict base64: standard or URL-safe, padded or not, white space ignored, everything else refused.
 * Node's own decoder skips what it does not know, so the length it gives is the check: every skipped
 * character makes the result at least one byte shorter. The fast path runs no pattern over the text.
 */
import { AppError } from '../errors.ts';

const WHITE_SPACE = /[ \t\r\n\f]+/g;

/** Bytes that the text decodes to if all of it is base64; undefined when no base64 has this length. */
export function decodedBytes(text: string): number | undefined {
  let padding = 0;
  while (padding < 2 && text.charCodeAt(text.length - 1 - padding) === 0x3d) padding += 1;
  const symbols = text.length - padding;
  if (symbols % 4 === 1 || (padding > 0 && text.length % 4 !== 0)) return undefined;
  return Math.floor((symbols * 3) / 4);
}

function decodeExactly(text: string, size: number): Uint8Array<ArrayBuffer> | undefined {
  // Unpooled: the ArrayBuffer is the image's own, so that it can be transferred.
  const bytes = Buffer.allocUnsafeSlow(size);
  if (bytes.write(text, 'base64') !== size) return undefined;
  // Node decodes the low byte of each UTF-16 unit: U+0151 would pass for Q.
  if (Buffer.byteLength(text) !== text.length) return undefined;
  return new Uint8Array(bytes.buffer);
}

/** The bytes, in an ArrayBuffer of exactly their size; AppError base64_invalid or image_too_large. */
export function decodeBase64(text: string, limitBytes: number): Uint8Array<ArrayBuffer> {
  const size = decodedBytes(text);
  const bytes = size === undefined || size > limitBytes ? undefined : decodeExactly(text, size);
  if (bytes !== undefined) return bytes;
  const packed = text.replace(WHITE_SPACE, '');
  const packedSize = decodedBytes(packed);
  if (packedSize !== undefined && packedSize > limitBytes) throw new AppError('image_too_large');
  const retried = packedSize === undefined || packed === text ? undefined : decodeExactly(packed, packedSize);
  if (retried === undefined) throw new AppError('base64_invalid');
  return retried;
}
