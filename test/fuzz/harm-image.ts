/** Harm that knows where an image's numbers and parts lie: chunks, segments, boxes, and its dimensions. */
import type { Format, Sample } from './corpus.ts';
import { fitting, harm } from './mutate.ts';
import type { Random } from './random.ts';

interface Part {
  readonly from: number;
  readonly to: number;
}

/** Parts that each say their length: `sizeAt` bytes in, of `sizeBytes`, with `more` around what it counts. */
function walk(bytes: Buffer, from: number, sizeOf: (at: number) => number): Part[] {
  const parts: Part[] = [];
  for (let at = from; at + 8 <= bytes.length && parts.length < 100;) {
    const to = Math.min(bytes.length, at + Math.max(2, sizeOf(at)));
    parts.push({ from: at, to });
    at = to;
  }
  return parts;
}

const PARTS: Readonly<Record<Format, (bytes: Buffer) => Part[]>> = {
  png: (bytes) => walk(bytes, 8, (at) => bytes.readUInt32BE(at) + 12),
  jpeg: (bytes) => walk(bytes, 2, (at) => bytes.readUInt16BE(at + 2) + 2),
  webp: (bytes) => walk(bytes, 12, (at) => bytes.readUInt32LE(at + 4) + 8),
  avif: (bytes) => walk(bytes, 0, (at) => bytes.readUInt32BE(at)),
  // Blocks of a GIF have no length of their own: eight bytes are as good as any.
  gif: (bytes) => walk(bytes, 13, () => 8),
};

function writeAt(bytes: Buffer, at: number, value: number, size: number, isBig: boolean): void {
  if (at < 0 || at + size > bytes.length) return;
  if (isBig) bytes.writeUIntBE(fitting(value, size), at, size);
  else bytes.writeUIntLE(fitting(value, size), at, size);
}

function indexOfAny(bytes: Buffer, marks: readonly string[]): number {
  return Math.max(...marks.map((mark) => bytes.indexOf(Buffer.from(mark, 'latin1'))));
}

/** Two numbers where the format keeps width and height. */
function setSize(format: Format, bytes: Buffer, width: number, height: number): void {
  const write = (at: number, size: number, isBig: boolean): void => {
    writeAt(bytes, at, width, size, isBig);
    writeAt(bytes, at + size, height, size, isBig);
  };
  if (format === 'png') write(16, 4, true);
  if (format === 'gif') write(6, 2, false);
  // Behind the marker SOF0 or SOF2: length, precision, then height and width.
  if (format === 'jpeg') write(indexOfAny(bytes, ['\u00ff\u00c0', '\u00ff\u00c2']) + 5, 2, true);
  if (format === 'avif') write(bytes.indexOf('ispe') + 8, 4, true);
  if (format === 'webp') {
    if (bytes.includes('VP8X')) write(24, 3, false);
    else write(26, 2, false);
  }
}

function spliceParts(random: Random, bytes: Buffer, other: Sample): Buffer {
  const donor = Buffer.from(other.bytes);
  const parts = PARTS[other.format](donor);
  const part = parts[random.int(0, Math.max(0, parts.length - 1))] ?? { from: 0, to: donor.length };
  const at = random.int(0, bytes.length);
  return Buffer.concat([bytes.subarray(0, at), donor.subarray(part.from, part.to), bytes.subarray(at)]);
}

/** Takes one part out, doubles it, or has it change places with another. */
function shuffleParts(random: Random, bytes: Buffer, format: Format): Buffer {
  const parts = PARTS[format](bytes);
  const [first, second] = [0, 1].map(() => parts[random.int(0, Math.max(0, parts.length - 1))]);
  if (first === undefined || second === undefined) return bytes;
  const [a, b] = first.from <= second.from ? [first, second] : [second, first];
  const head = bytes.subarray(0, a.from);
  const one = bytes.subarray(a.from, a.to);
  switch (random.int(0, 2)) {
    case 0:
      return Buffer.concat([head, bytes.subarray(a.to)]);
    case 1:
      return Buffer.concat([head, one, one, bytes.subarray(a.to)]);
    default:
      return Buffer.concat([
        head,
        bytes.subarray(b.from, b.to),
        bytes.subarray(a.to, Math.max(a.to, b.from)),
        one,
        bytes.subarray(Math.max(a.to, b.to)),
      ]);
  }
}

export function harmImage(random: Random, sample: Sample, other: Sample): Buffer {
  const bytes = Buffer.from(sample.bytes);
  switch (random.int(0, 5)) {
    case 0:
      return bytes.subarray(0, random.int(0, bytes.length));
    case 1:
      setSize(sample.format, bytes, random.edge(), random.edge());
      return random.chance(0.5) ? bytes : harm(random, bytes);
    case 2:
      return spliceParts(random, bytes, other);
    case 3:
      return shuffleParts(random, bytes, sample.format);
    default:
      return harm(random, bytes);
  }
}
