/**
 * The form of a file of the disk tier: prefix (magic, form, length and CRC-32 of what follows), the
 * entry as JSON, the body. Knows bytes and file handles, neither paths nor what is indexed.
 */
import type { FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import type { Entry } from '../core/entry.ts';
import { readEntryText, writeEntryText } from './entry-text.ts';
import { writePieces } from './file-calls.ts';

export interface DiskHead {
  readonly entry: Entry;
  /** Where the body starts. */
  readonly headBytes: number;
}

const MAGIC = 0x41_46_49_4d; // AFIM
const FORM = 1;
const PREFIX_BYTES = 16;
/** An entry has bounded topics and meta; whatever is larger is none of ours. */
const TEXT_BYTES_MAX = 128 * 1024;
/** Holds nearly every head, and a small body with it, in one read. */
export const FIRST_READ_BYTES = 4096;

/** Undefined: the entry is larger than a file's head may be. */
export function encodeHead(entry: Entry): Uint8Array | undefined {
  const text = Buffer.from(writeEntryText(entry));
  if (text.byteLength > TEXT_BYTES_MAX) return undefined;
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(MAGIC, 0);
  prefix.writeUInt32BE(FORM, 4);
  prefix.writeUInt32BE(text.byteLength, 8);
  prefix.writeUInt32BE(crc32(text), 12);
  return Buffer.concat([prefix, text]);
}

/** Bytes of the whole head, as the first bytes of the file say; undefined: not a file of ours. */
function headLength(first: Buffer): number | undefined {
  if (first.byteLength < PREFIX_BYTES) return undefined;
  if (first.readUInt32BE(0) !== MAGIC || first.readUInt32BE(4) !== FORM) return undefined;
  const textBytes = first.readUInt32BE(8);
  return textBytes > TEXT_BYTES_MAX ? undefined : PREFIX_BYTES + textBytes;
}

/** Undefined: cut off, damaged, or not a file of ours. */
export function decodeHead(bytes: Buffer): DiskHead | undefined {
  const headBytes = headLength(bytes);
  if (headBytes === undefined || bytes.byteLength < headBytes) return undefined;
  const text = bytes.subarray(PREFIX_BYTES, headBytes);
  if (crc32(text) !== bytes.readUInt32BE(12)) return undefined;
  const entry = readEntryText(text.toString('utf8'));
  return entry === undefined ? undefined : { entry, headBytes };
}

/** The head of an open file; undefined as `decodeHead`. */
export async function readHead(file: FileHandle): Promise<DiskHead | undefined> {
  const first = Buffer.allocUnsafe(FIRST_READ_BYTES);
  const got = first.subarray(0, await readFully(file, first, 0));
  const headBytes = headLength(got);
  if (headBytes === undefined) return undefined;
  if (headBytes <= got.byteLength) return decodeHead(got);
  const whole = Buffer.allocUnsafe(headBytes);
  return (await readFully(file, whole, 0)) === headBytes ? decodeHead(whole) : undefined;
}

/** Fills the buffer from the position on; fewer bytes than that only where the file ends. */
export async function readFully(file: FileHandle, into: Uint8Array, position: number): Promise<number> {
  let filled = 0;
  while (filled < into.byteLength) {
    const { bytesRead } = await file.read(into, filled, into.byteLength - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled;
}

/** Writes the pieces one after the other; a short write goes on where it stopped. */
export async function writeFully(file: number, pieces: readonly Uint8Array[]): Promise<void> {
  let rest = pieces.filter((piece) => piece.byteLength > 0);
  while (rest.length > 0) {
    rest = skip(rest, await writePieces(file, rest));
  }
}

function skip(pieces: readonly Uint8Array[], bytes: number): Uint8Array[] {
  const rest: Uint8Array[] = [];
  let left = bytes;
  for (const piece of pieces) {
    if (left < piece.byteLength) rest.push(piece.subarray(left));
    left = Math.max(0, left - piece.byteLength);
  }
  return rest;
}
