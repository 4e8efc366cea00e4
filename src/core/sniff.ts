/**
 * The type of an image by its magic bytes: the only type that is ever believed. Pure; says nothing
 * about whether the rest of the bytes are sound.
 */

export type ImageMime = 'image/png' | 'image/jpeg' | 'image/webp' | 'image/avif' | 'image/gif';

const PNG = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const JPEG = [0xff, 0xd8, 0xff];
/** How far into a text its `<svg` is looked for: a licence comment may come first. */
const SVG_HEAD_BYTES = 4096;
const SVG_ROOT = /<(?:[\w-]+:)?svg[\s>/]/i;

function startsWith(bytes: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, index) => bytes[index] === byte);
}

function ascii(bytes: Uint8Array, from: number, to: number): string {
  return String.fromCharCode(...bytes.subarray(from, to));
}

/** ISO BMFF: AVIF is told from HEIC by its brands, of which the major one may be the generic `mif1`. */
function isAvif(bytes: Uint8Array): boolean {
  if (ascii(bytes, 4, 8) !== 'ftyp') return false;
  const boxBytes = Math.min(new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0), 256);
  const brands = ascii(bytes, 8, boxBytes);
  for (let at = 0; at + 4 <= brands.length; at += 4) {
    const brand = brands.slice(at, at + 4);
    if (brand === 'avif' || brand === 'avis') return true;
  }
  return false;
}

function isSvg(bytes: Uint8Array): boolean {
  const head = new TextDecoder().decode(bytes.subarray(0, SVG_HEAD_BYTES)).trimStart();
  return head.startsWith('<') && SVG_ROOT.test(head) && !/<html/i.test(head);
}

/** Undefined: none of the formats that are taken in. `svg` is told apart only to be refused by name. */
export function sniffImage(bytes: Uint8Array): ImageMime | 'svg' | undefined {
  if (startsWith(bytes, PNG)) return 'image/png';
  if (startsWith(bytes, JPEG)) return 'image/jpeg';
  const six = ascii(bytes, 0, 6);
  if (six === 'GIF89a' || six === 'GIF87a') return 'image/gif';
  if (six.startsWith('RIFF') && ascii(bytes, 8, 12) === 'WEBP') return 'image/webp';
  if (isAvif(bytes)) return 'image/avif';
  return isSvg(bytes) ? 'svg' : undefined;
}
