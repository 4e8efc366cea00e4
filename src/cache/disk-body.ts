/**
 * A body that stays on disk: each read opens the file anew when its first piece is asked for, and makes
 * sure that it still holds the same bytes. A file that is evicted meanwhile is read to its end all the
 * same: its name is gone, its bytes are not while it is open.
 */
import { open, type FileHandle } from 'node:fs/promises';
import type { BodyStream, Entry } from '../core/entry.ts';
import { AppError } from '../errors.ts';
import { readFully, readHead } from './disk-file.ts';

const PIECE_BYTES = 256 * 1024;

export function createDiskBody(path: string, entry: Entry): BodyStream {
  async function* read(from: number, to: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    signal.throwIfAborted();
    const file = await open(path, 'r').catch((error: unknown) => {
      throw new AppError('body_vanished', undefined, error);
    });
    try {
      const head = await readHead(file);
      if (head?.entry.key !== entry.key || head.entry.version !== entry.version) {
        throw new AppError('body_vanished');
      }
      yield* readPieces(file, head.headBytes + from, to - from + 1, signal);
    } finally {
      await file.close();
    }
  }
  return { read };
}

/** Each piece is the reader's own: it may keep it. */
export async function* readPieces(
  file: FileHandle,
  position: number,
  bytes: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes; offset += PIECE_BYTES) {
    signal.throwIfAborted();
    const piece = Buffer.allocUnsafeSlow(Math.min(PIECE_BYTES, bytes - offset));
    if ((await readFully(file, piece, position + offset)) < piece.byteLength) {
      throw new AppError('body_vanished');
    }
    yield piece;
  }
}
