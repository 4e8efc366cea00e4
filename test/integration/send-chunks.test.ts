import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { App, us_listen_socket_close, us_socket_local_port, type us_socket } from 'uWebSockets.js';
import { endWithChunks } from '../../src/http/send-chunks.ts';
import { createLatch } from '../fixtures/latch.ts';

const MIB = 1024 * 1024;

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

/** Answers every request with these pieces; gives the port. */
async function serve(pieces: () => AsyncIterable<Uint8Array>): Promise<number> {
  const app = App().get('/', (res) => {
    const left = new AbortController();
    res.onAborted(() => left.abort());
    void endWithChunks(res, pieces(), left.signal);
  });
  return new Promise((resolve) => {
    app.listen('127.0.0.1', 0, (socket) => {
      if (socket === false) return;
      stops.push(() => us_listen_socket_close(socket));
      // The listen socket is a socket: the typings keep them apart, the library does not.
      resolve(us_socket_local_port(socket as us_socket));
    });
  });
}

// uWebSockets.js keeps what it could not send until the next write.
it('sends all of a piece to a reader that was slow, though the next piece never comes', async () => {
  const paused = createLatch();
  const port = await serve(async function* () {
    yield new Uint8Array(24 * MIB);
    await paused.opened;
  });
  const socket = connect(port, '127.0.0.1').pause();
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await once(socket, 'connect');
  let received = 0;
  socket.on('data', (chunk: Buffer) => {
    received += chunk.length;
  });
  socket.resume();
  await expect.poll(() => received, { timeout: 10_000 }).toBeGreaterThan(24 * MIB);
  socket.destroy();
  paused.open();
});

it('waits for a reader, and reads nothing ahead of it', async () => {
  let given = 0;
  const port = await serve(async function* () {
    for (let count = 0; count < 200; count += 1) {
      given += MIB;
      yield new Uint8Array(MIB);
    }
  });
  const socket = connect(port, '127.0.0.1');
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await once(socket, 'readable');
  await expect.poll(() => given).toBeGreaterThan(MIB);
  expect(given).toBeLessThan(100 * MIB);
  socket.destroy();
});
