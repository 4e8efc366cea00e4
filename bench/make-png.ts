/** Real PNG images of an exact number of bytes: noise, which no decoder or packer makes smaller. */
import { crc32, deflateSync } from 'node:zlib';

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');
const CHUNK_BYTES = 12;
const HEADER_BYTES = SIGNATURE.length + CHUNK_BYTES + 13 + CHUNK_BYTES;
/** Room for the deflate blocks' own headers and for the padding chunk. */
const SLACK_BYTES = 400;

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}

/** Deterministic (xorshift32): two runs compare the same bytes. */
export function noise(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = (seed | 0) === 0 ? 0x9e3779b9 : Math.imul(seed, 0x9e3779b9) | 1;
  for (let at = 0; at < length; at += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

function rawRows(side: number, seed: number): Buffer {
  const rows = noise(side * (side * 3 + 1), seed);
  for (let y = 0; y < side; y += 1) rows[y * (side * 3 + 1)] = 0;
  return rows;
}

function headerOf(side: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header.set([8, 2, 0, 0, 0], 8);
  return header;
}

/** A square noise image whose file is exactly so long, padded by a private ancillary chunk. */
export function makePng(totalBytes: number, seed = 1): Buffer {
  const side = Math.max(1, Math.floor(Math.sqrt((totalBytes - HEADER_BYTES - SLACK_BYTES) / 3 - 1)) - 1);
  const pixels = chunk('IDAT', deflateSync(rawRows(side, seed), { level: 0 }));
  const head = Buffer.concat([SIGNATURE, chunk('IHDR', headerOf(side)), pixels]);
  const end = chunk('IEND', Buffer.alloc(0));
  const padding = totalBytes - head.length - end.length - CHUNK_BYTES;
  if (padding < 0) throw new Error(`${totalBytes} bytes are too few for a PNG here`);
  return Buffer.concat([head, chunk('paDd', noise(padding, seed)), end]);
}
