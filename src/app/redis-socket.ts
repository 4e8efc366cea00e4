/**
 * How the client of Redis gets its socket where that is a plain one: what arrives goes through one buffer
 * that is used again and again, and large values are put together in one of their own. V8 counts every
 * buffer that a socket makes for each packet, and marks its heap the more often, 15 ms at a time.
 */
import { createConnection, type Socket } from 'node:net';
import { AbstractConnector, type RedisOptions } from 'ioredis';
import { createWholeReplies } from '../redis/whole-replies.ts';

type Connector = NonNullable<RedisOptions['Connector']>;

/** As much as one read takes off the socket. */
const RECEIVE_BYTES = 64 * 1024;

/** The client makes one for itself, and asks it for each of its connections. */
export function createSocketConnector(maxValueBytes: number): Connector {
  return class SocketConnector extends AbstractConnector {
    readonly #options: RedisOptions;

    constructor(options: unknown) {
      // Its client makes it, out of its own options.
      const own = options as RedisOptions;
      super(own.disconnectTimeout ?? 0);
      this.#options = own;
    }

    override async connect(): Promise<Socket> {
      this.connecting = true;
      // Whoever connects may change his mind in the same breath.
      await Promise.resolve();
      if (!this.connecting) throw new Error('Connection is closed.');
      const socket = openSocket(this.#options, maxValueBytes);
      socket.once('error', (error) => (this.firstError = error));
      this.stream = socket;
      return socket;
    }
  };
}

function openSocket({ host = 'localhost', port = 6379 }: RedisOptions, maxValueBytes: number): Socket {
  const buffer = Buffer.allocUnsafeSlow(RECEIVE_BYTES);
  // Nothing is read before the client listens: it does so within the event that tells it of the connection.
  const replies = createWholeReplies(maxValueBytes, (piece) => void socket.emit('data', piece));
  const callback = (bytes: number): boolean => {
    replies.take(buffer.subarray(0, bytes));
    return true;
  };
  const socket = createConnection({ host, port, onread: { buffer, callback } });
  return socket;
}
