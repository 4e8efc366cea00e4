/** Small harm to bytes and texts, of the kinds that parsers have stumbled over. */
import type { Random } from './random.ts';

type Harm = (random: Random, bytes: Buffer) => Buffer;

function replace(bytes: Buffer, from: number, to: number, by: Uint8Array): Buffer {
  return Buffer.concat([bytes.subarray(0, from), by, bytes.subarray(to)]);
}

function place(random: Random, bytes: Buffer, room = 0): number {
  return random.int(0, Math.max(0, bytes.length - room));
}

/** The number as so many bytes can hold it. */
export function fitting(value: number, size: number): number {
  const limit = 2 ** (8 * size);
  return ((value % limit) + limit) % limit;
}

function numberBytes(random: Random): Buffer {
  const bytes = Buffer.alloc(random.pick([1, 2, 4]));
  const value = fitting(random.edge(), bytes.length);
  if (random.chance(0.5)) bytes.writeUIntBE(value, 0, bytes.length);
  else bytes.writeUIntLE(value, 0, bytes.length);
  return bytes;
}

const HARMS: readonly [Harm, ...Harm[]] = [
  // One bit.
  (random, bytes) => {
    const at = place(random, bytes, 1);
    const out = Buffer.from(bytes);
    out[at] = (out[at] ?? 0) ^ (1 << random.int(0, 7));
    return out;
  },
  // Some other bytes.
  (random, bytes) => {
    const at = place(random, bytes);
    return replace(bytes, at, at + random.int(0, 8), random.bytes(random.int(0, 8)));
  },
  // A number that may be a length, a count, an offset.
  (random, bytes) => {
    const number = numberBytes(random);
    const at = place(random, bytes, number.length);
    return replace(bytes, at, at + number.length, number);
  },
  (random, bytes) => bytes.subarray(0, place(random, bytes)),
  (random, bytes) => bytes.subarray(place(random, bytes)),
  // A part of it once more, somewhere.
  (random, bytes) => {
    const from = place(random, bytes);
    const part = bytes.subarray(from, from + random.int(0, 64));
    const at = place(random, bytes);
    return replace(bytes, at, at, part);
  },
  // A part of it missing.
  (random, bytes) => {
    const at = place(random, bytes);
    return replace(bytes, at, at + random.int(1, 64), Buffer.alloc(0));
  },
  (random, bytes) => Buffer.concat([bytes, random.bytes(random.int(1, 32))]),
];

/** One to three of them. */
export function harm(random: Random, bytes: Uint8Array): Buffer {
  let out: Buffer = Buffer.from(bytes);
  for (let left = random.int(1, 3); left > 0; left -= 1) out = random.pick(HARMS)(random, out);
  return out;
}

export function harmText(random: Random, text: string): string {
  return harm(random, Buffer.from(text, 'latin1')).toString('latin1');
}

/** Text that is no control character of HTTP: it may stand in a header or a target. */
export function visible(random: Random, most: number): string {
  const from = '!"$%&\'()*+,-./0:;<=>@AZ[\\]^_`az{|}~\u00e9\u00ff';
  return random.many(0, most, () => from[random.int(0, from.length - 1)] ?? '').join('');
}
