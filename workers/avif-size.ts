/**
 * The sizes that an AVIF says it has (`ispe`, ISO 23008-12 6.5.3), as far as libvips cannot hold them: it
 * takes a side beyond its own limit for 1, and what is said to be one pixel passes any limit on pixels.
 */

const SIDE_MAX = 100_000_000;
const HEAD_BYTES = 8;
const LONG_HEAD_BYTES = 16;

interface Box {
  readonly from: number;
  readonly to: number;
}

/** Boxes of the file itself, but for those that hold pixels. */
function boxesOf(bytes: Buffer): Box[] {
  const boxes: Box[] = [];
  for (let at = 0; at + HEAD_BYTES <= bytes.length;) {
    const short = bytes.readUInt32BE(at);
    const isLong = short === 1 && at + LONG_HEAD_BYTES <= bytes.length;
    const size = isLong ? Number(bytes.readBigUInt64BE(at + HEAD_BYTES)) : short;
    // Zero: to the end of the file. Less than a head makes no sense: the rest is one box.
    const to = size < HEAD_BYTES ? bytes.length : Math.min(bytes.length, at + size);
    if (bytes.toString('latin1', at + 4, at + HEAD_BYTES) !== 'mdat') boxes.push({ from: at, to });
    at = to;
  }
  return boxes;
}

/** False: nothing that was read of its size can be believed. */
export function hasReadableSize(image: Uint8Array): boolean {
  const bytes = Buffer.from(image.buffer, image.byteOffset, image.byteLength);
  return boxesOf(bytes).every(({ from, to }) => {
    const box = bytes.subarray(from, to);
    for (let at = box.indexOf('ispe'); at !== -1; at = box.indexOf('ispe', at + 1)) {
      // Its name, version and flags, then width and height.
      if (at + LONG_HEAD_BYTES > box.length) return true;
      if (box.readUInt32BE(at + 8) > SIDE_MAX || box.readUInt32BE(at + 12) > SIDE_MAX) return false;
    }
    return true;
  });
}
