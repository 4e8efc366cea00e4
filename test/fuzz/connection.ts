/** A connection of the fuzzer's: bytes out, bytes in, and waits that have an end. */
import { connect } from 'node:net';

export interface Connection {
  write(bytes: Uint8Array): void;
  /** Closes our side. */
  end(): void;
  destroy(): void;
  /** What came since `forget`. */
  received(): Buffer;
  forget(): void;
  isOver(): boolean;
  /** Resolves with what `read` gives first, asked again for every change; undefined at the deadline. */
  until<T>(
    read: (bytes: Buffer, isOver: boolean) => T | undefined,
    deadlineMs: number,
  ): Promise<T | undefined>;
}

export function openConnection(port: number): Connection {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  let pieces: Buffer[] = [];
  let isOver = false;
  let wake: () => void = () => undefined;
  socket.on('data', (piece) => {
    pieces.push(Buffer.from(piece));
    wake();
  });
  const over = (): void => {
    isOver = true;
    wake();
  };
  // A reset is an end like another: what came before it counts.
  socket.on('error', over);
  socket.on('end', over);
  socket.on('close', over);

  const received = (): Buffer => {
    if (pieces.length > 1) pieces = [Buffer.concat(pieces)];
    return pieces[0] ?? Buffer.alloc(0);
  };

  return {
    write: (bytes) => void (socket.writable && bytes.length > 0 && socket.write(bytes)),
    end: () => void socket.end(),
    destroy: () => void socket.destroy(),
    received,
    forget() {
      pieces = [];
    },
    isOver: () => isOver,
    async until(read, deadlineMs) {
      return new Promise((resolve) => {
        const timer = setTimeout(() => finish(undefined), deadlineMs);
        const finish = (value: ReturnType<typeof read>): void => {
          clearTimeout(timer);
          wake = () => undefined;
          resolve(value);
        };
        wake = () => {
          const value = read(received(), isOver);
          if (value !== undefined) finish(value);
        };
        wake();
      });
    },
  };
}
