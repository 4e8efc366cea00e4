/** A blob that fits into memory: read whole, verified, hashed, and told by its bytes. */
import { createHash } from 'node:crypto';
import { sniffImage } from '../core/sniff.ts';
import { AppError } from '../errors.ts';
import type { OpenBlob } from './blob-reader.ts';

/** Enough for every magic number, and for an SVG behind a comment. */
const SNIFF_BYTES = 4096;

export interface WholeBlob {
  readonly body: Uint8Array;
  readonly mime: string;
  readonly version: string;
}

/** AppError not_an_image, svg_refused, and whatever reading throws. */
export async function readWholeBlob(blob: OpenBlob): Promise<WholeBlob> {
  const body = new Uint8Array(blob.totalBytes);
  // Piece by piece: hashing 16 MiB at once would hold the loop for 8 ms.
  const hash = createHash('sha256');
  let position = 0;
  for await (const piece of blob.pieces()) {
    if (position + piece.byteLength > body.byteLength)
      throw new AppError('origin_failed', 'Azure sent too much.');
    body.set(piece, position);
    hash.update(piece);
    position += piece.byteLength;
  }
  return { body, mime: bitmapMime(body), version: hash.digest('hex') };
}

/** The type from the bytes, never from Azure's header. */
function bitmapMime(head: Uint8Array): string {
  const mime = sniffImage(head);
  if (mime === 'svg') throw new AppError('svg_refused');
  if (mime === undefined) throw new AppError('not_an_image', 'The blob of this name is not a bitmap image.');
  return mime;
}

/** As much of the beginning as telling the type takes; the pieces then begin again from the start. */
export async function peekBlob(blob: OpenBlob): Promise<{ readonly mime: string; readonly blob: OpenBlob }> {
  const pieces = blob.pieces();
  const seen: Uint8Array[] = [];
  let head = Buffer.alloc(0);
  while (head.byteLength < SNIFF_BYTES) {
    const next = await pieces.next();
    if (next.done === true) break;
    seen.push(next.value);
    head = Buffer.concat([head, next.value.subarray(0, SNIFF_BYTES)]);
  }
  const mime = bitmapMime(head);
  const replay = async function* (): AsyncGenerator<Uint8Array> {
    try {
      yield* seen.splice(0);
      yield* pieces;
    } finally {
      await pieces.return(undefined);
    }
  };
  return { mime, blob: { ...blob, pieces: replay } };
}
