/**
 * What a rendering must know of its source before it is decoded, read without opening it: the decoder opens
 * it anyway, and opening it once more is a turn through libuv's threads. Only where a few bytes say it beyond
 * doubt; everything else is `readHeader`'s. Knows bytes, not sharp.
 */

export interface PlainHeader {
  readonly format: 'png' | 'jpeg';
  /** As stored: which of them is across depends on an orientation that is not looked for here. */
  readonly width: number;
  readonly height: number;
}

const PNG_IHDR = 0x49484452;
const PNG_HEAD_BYTES = 33;

function plainPng(view: DataView): PlainHeader | undefined {
  if (view.byteLength < PNG_HEAD_BYTES) return undefined;
  // The specification wants it first and of this length; libspng refuses anything else.
  if (view.getUint32(8) !== 13 || view.getUint32(12) !== PNG_IHDR) return undefined;
  // Deep pixels may need their profile.
  if (view.getUint8(24) > 8) return undefined;
  return sized('png', view.getUint32(16), view.getUint32(20));
}

/** Baseline, extended, progressive: what comes of the others is the decoder's to say. */
const JPEG_FRAMES: ReadonlySet<number> = new Set([0xc0, 0xc1, 0xc2]);
const JPEG_DHT = 0xc4;
const JPEG_DQT = 0xdb;
const JPEG_DRI = 0xdd;
const JPEG_COM = 0xfe;
/** More than any camera writes; a file made of segments only is not walked to its end. */
const JPEG_SEGMENTS_MAX = 64;

/** Segments that stand before a frame and say nothing of its size. */
function isPassedOver(marker: number): boolean {
  const isApplication = marker >= 0xe0 && marker <= 0xef;
  return (
    isApplication || marker === JPEG_DHT || marker === JPEG_DQT || marker === JPEG_DRI || marker === JPEG_COM
  );
}

function plainJpeg(view: DataView): PlainHeader | undefined {
  let at = 2;
  for (let segments = 0; segments < JPEG_SEGMENTS_MAX; segments += 1) {
    // Of a frame: marker, length, precision, height, width.
    if (at + 9 > view.byteLength || view.getUint8(at) !== 0xff) return undefined;
    const marker = view.getUint8(at + 1);
    if (JPEG_FRAMES.has(marker)) {
      if (view.getUint8(at + 4) !== 8) return undefined;
      return sized('jpeg', view.getUint16(at + 7), view.getUint16(at + 5));
    }
    if (!isPassedOver(marker)) return undefined;
    at += 2 + Math.max(2, view.getUint16(at + 2));
  }
  return undefined;
}

function sized(format: PlainHeader['format'], width: number, height: number): PlainHeader | undefined {
  return width > 0 && height > 0 ? { format, width, height } : undefined;
}

/** Of a still PNG or JPEG of eight bits or less; undefined says nothing. `mime` is what its bytes say. */
export function plainHeaderOf(bytes: Uint8Array, mime: string | undefined): PlainHeader | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (mime === 'image/png') return plainPng(view);
  return mime === 'image/jpeg' ? plainJpeg(view) : undefined;
}
