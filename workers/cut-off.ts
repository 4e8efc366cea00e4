/**
 * Whether the bytes of an image end before the image does, by walking its container. No pixel is
 * decoded, so the later frames of an animation are covered too, and a cut costs microseconds.
 * Structure that makes no sense is left to the decoder: only "ends too early" is decided here.
 */
import type { ImageMime } from '../src/core/sniff.ts';

export function isCutOff(bytes: Uint8Array, mime: ImageMime): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (mime) {
    case 'image/png':
      return isPngCutOff(view);
    case 'image/jpeg':
      return isJpegCutOff(bytes);
    case 'image/webp':
      return view.byteLength < 12 || view.getUint32(4, true) + 8 > view.byteLength;
    case 'image/gif':
      return isGifCutOff(bytes);
    case 'image/avif':
      return isAvifCutOff(view);
  }
}

const PNG_IEND = 0x49454e44;

/** Chunks: length, type, data, CRC. */
function isPngCutOff(view: DataView): boolean {
  let at = 8;
  while (at + 12 <= view.byteLength) {
    const end = at + 12 + view.getUint32(at);
    if (end > view.byteLength) return true;
    if (view.getUint32(at + 4) === PNG_IEND) return false;
    at = end;
  }
  return true;
}

const JPEG_SOS = 0xda;
const JPEG_EOI = 0xd9;

/** No segment follows: a stuffed zero, TEM, a restart marker, SOI. */
function standsAlone(marker: number): boolean {
  return marker <= 0x01 || (marker >= 0xd0 && marker <= 0xd8);
}

/** Segments up to EOI. A thumbnail inside APP1 has an EOI of its own, so a search for one won't do. */
function isJpegCutOff(bytes: Uint8Array): boolean {
  let at = 2;
  let inScan = false;
  for (;;) {
    at = bytes.indexOf(0xff, at);
    const marker = at === -1 ? undefined : bytes[at + 1];
    if (marker === undefined) return true;
    if (marker === JPEG_EOI) return false;
    if (marker === 0xff) {
      // A fill byte: the next one may open the marker.
      at += 1;
    } else if (standsAlone(marker) || (inScan && marker < 0xc0)) {
      at += 2;
    } else {
      const lengthBytes = ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
      at += 2 + Math.max(2, lengthBytes);
      inScan = marker === JPEG_SOS;
    }
  }
}

/** Bytes of a GIF colour table, by the flags that announce it. */
function colourTableBytes(flags: number): number {
  return (flags & 0x80) === 0 ? 0 : 3 << ((flags & 0x07) + 1);
}

/** Blocks up to the trailer: extensions (0x21), frames (0x2c), each followed by length-led pieces. */
function isGifCutOff(bytes: Uint8Array): boolean {
  let at = 13 + colourTableBytes(bytes[10] ?? 0);
  for (;;) {
    const block = bytes[at];
    if (block === undefined) return true;
    if (block === 0x3b) return false;
    if (block === 0x21) at += 2;
    else if (block === 0x2c) at += 11 + colourTableBytes(bytes[at + 9] ?? 0);
    else return false;
    for (;;) {
      const piece = bytes[at];
      if (piece === undefined) return true;
      at += 1 + piece;
      if (piece === 0) break;
    }
  }
}

const BOX_MDAT = 0x6d646174;

/** ISO BMFF boxes; without `mdat` the pictures themselves are missing. */
function isAvifCutOff(view: DataView): boolean {
  let at = 0;
  let hasData = false;
  while (at < view.byteLength) {
    // A few bytes more than boxes: a stray line end, if the pictures are there.
    if (at + 8 > view.byteLength) return !hasData;
    hasData ||= view.getUint32(at + 4) === BOX_MDAT;
    let size = view.getUint32(at);
    // 0: to the end of the file. 1: a 64-bit size follows.
    if (size === 0) return false;
    if (size === 1) {
      if (at + 16 > view.byteLength) return true;
      size = Number(view.getBigUint64(at + 8));
    }
    if (size < 8) return false;
    at += size;
  }
  return at > view.byteLength || !hasData;
}
