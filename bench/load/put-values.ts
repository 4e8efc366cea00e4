/** Fills a server's cache for anything over keep-alive connections, each value answered before the next. */
import { once } from 'node:events';
import { connect } from 'node:net';

const CONNECTIONS = 32;
const BODY = 'a value of 21 bytes..';
const CREATED = Buffer.from('HTTP/1.1 201');

async function fillOver(base: URL, take: () => string | undefined): Promise<void> {
  const socket = connect(Number(base.port), base.hostname);
  socket.setNoDelay(true);
  await once(socket, 'connect');
  const next = (): boolean => {
    const key = take();
    if (key === undefined) return false;
    const head = `PUT /cache/${key} HTTP/1.1\r\nHost: ${base.host}\r\nContent-Type: text/plain\r\n`;
    socket.write(`${head}Content-Length: ${BODY.length}\r\n\r\n${BODY}`);
    return true;
  };
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.once('close', () => reject(new Error('the connection was closed')));
      // Answers are a few hundred bytes: one comes in one piece.
      socket.on('data', (answer: Buffer) => {
        if (!answer.subarray(0, CREATED.length).equals(CREATED)) reject(new Error(answer.toString('latin1')));
        else if (!next()) resolve();
      });
      if (!next()) resolve();
    });
  } finally {
    socket.destroy();
  }
}

export async function putValues(base: string, keys: Iterator<string>): Promise<void> {
  const take = (): string | undefined => {
    const { value, done } = keys.next();
    return done === true ? undefined : value;
  };
  const url = new URL(base);
  await Promise.all(Array.from({ length: CONNECTIONS }, async () => fillOver(url, take)));
}
