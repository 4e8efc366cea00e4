/**
 * Strict base64: standard or URL-safe, padded or not, white space ignored, everything else refused.
 * Node's own decoder skips what it does not know, so the length it gives is the check: every skipped
 * character makes the result at least one byte shorter. The fast path runs no pattern over the text.
 */
import { AppError } from '../errors.ts';

const WHITE_SPACE = /[ \t\r\n\f]+/g;

/** Pieces stay in the processor's cache; a string of a whole image is one that V8 has to collect. */
const PIECE_CHARS = 64 * 1024;
const PADDING = 0x3d;

/** Bytes that so many characters decode to if all of them are base64; undefined when no base64 has this length. */
function decodedBytes(chars: number, charAt: (at: number) => number | undefined): number | undefined {
  let padding = 0;
  while (padding < 2 && charAt(chars - 1 - padding) === PADDING) padding += 1;
  const symbols = chars - padding;
  if (symbols % 4 === 1 || (padding > 0 && chars % 4 !== 0)) return undefined;
  return Math.floor((symbols * 3) / 4);
}

const decodedTextBytes = (text: string): number | undefined =>
  decodedBytes(text.length, (at) => text.charCodeAt(at));

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
  const size = decodedTextBytes(text);
  const bytes = size === undefined || size > limitBytes ? undefined : decodeExactly(text, size);
  if (bytes !== undefined) return bytes;
  const packed = text.replace(WHITE_SPACE, '');
  const packedSize = decodedTextBytes(packed);
  if (packedSize !== undefined && packedSize > limitBytes) throw new AppError('image_too_large');
  const retried = packedSize === undefined || packed === text ? undefined : decodeExactly(packed, packedSize);
  if (retried === undefined) throw new AppError('base64_invalid');
  return retried;
}

/** Of text that lies in bytes, without white space; undefined: it is no such, or decodes to more than the limit. */
export function decodePackedBase64(text: Buffer, limitBytes: number): Uint8Array<ArrayBuffer> | undefined {
  const size = decodedBytes(text.byteLength, (at) => text[at]);
  if (size === undefined || size > limitBytes) return undefined;
  const bytes = Buffer.allocUnsafeSlow(size);
  let decoded = 0;
  for (let start = 0; start < text.byteLength; start += PIECE_CHARS) {
    decoded += bytes.write(text.toString('latin1', start, start + PIECE_CHARS), decoded, 'base64');
  }
  return decoded === size ? new Uint8Array(bytes.buffer) : undefined;
}
