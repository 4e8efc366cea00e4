/**
 * A file that is read while it is written: every reader follows what is there already and waits for the
 * rest. The file stays open until the writing has ended and its last reader has gone, whatever happens
 * to its name meanwhile.
 */
import { open, type FileHandle } from 'node:fs/promises';
import { AppError } from '../errors.ts';
import { abortable } from './abortable.ts';
import { readFully } from './disk-file.ts';

export interface GrowingFile {
  append(piece: Uint8Array): Promise<void>;
  writeHead(head: Uint8Array): Promise<void>;
  /** No more is written. Not whole: readers that are not done get an error. */
  end(isWhole: boolean): Promise<void>;
  writtenBytes(): number;
  /** Undefined: closed, nothing to read from any more. */
  follow(from: number, to: number, signal: AbortSignal): AsyncIterable<Uint8Array> | undefined;
}

const PIECE_BYTES = 256 * 1024;

/** `headBytes` are left free before the body. Throws where the file cannot be made. */
export async function createGrowingFile(path: string, headBytes: number): Promise<GrowingFile> {
  const file = await open(path, 'wx+');
  let written = 0;
  let state: 'growing' | 'whole' | 'broken' = 'growing';
  let readers = 0;
  let grown = createNotice();

  const notify = (): void => {
    grown.give();
    grown = createNotice();
  };

  const closeIfDone = async (): Promise<void> => {
    if (state !== 'growing' && readers === 0) await file.close();
  };

  /** Until something is there from the position on; then the bytes that are, as far as `to`. */
  async function waitFor(position: number, to: number, signal: AbortSignal): Promise<number> {
    for (;;) {
      if (written > position) return Math.min(to + 1, written) - position;
      if (state !== 'growing') throw new AppError('body_vanished');
      await abortable(grown.given, signal);
    }
  }

  async function* pieces(from: number, to: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    readers += 1;
    try {
      for (let position = from; position <= to;) {
        signal.throwIfAborted();
        const there = await waitFor(position, to, signal);
        const piece = Buffer.allocUnsafeSlow(Math.min(PIECE_BYTES, there));
        const got = await readFully(file, piece, headBytes + position);
        if (got < piece.byteLength) throw new AppError('body_vanished');
        position += got;
        yield piece;
      }
    } finally {
      readers -= 1;
      await closeIfDone();
    }
  }

  return {
    append: async (piece) => {
      await writeAt(file, piece, headBytes + written);
      written += piece.byteLength;
      notify();
    },
    writeHead: async (head) => writeAt(file, head, 0),
    end: async (isWhole) => {
      state = isWhole ? 'whole' : 'broken';
      notify();
      await closeIfDone();
    },
    writtenBytes: () => written,
    follow: (from, to, signal) =>
      state !== 'growing' && readers === 0 ? undefined : pieces(from, to, signal),
  };
}

interface Notice {
  readonly given: Promise<void>;
  give(): void;
}

function createNotice(): Notice {
  let give = nothing;
  const given = new Promise<void>((resolve) => {
    give = resolve;
  });
  return { given, give: () => give() };
}

const nothing = (): void => undefined;

async function writeAt(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.byteLength;) {
    const { bytesWritten } = await file.write(bytes, done, bytes.byteLength - done, position + done);
    done += bytesWritten;
  }
}
