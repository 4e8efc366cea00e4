/**
 * So many requests and no more, over keep-alive connections, each answered before the next: for what is
 * counted by request. Every answer must be as long as the first, which is looked at.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface ExactLoad {
  readonly url: string;
  readonly requests: number;
  readonly connections: number;
  readonly headers?: readonly string[];
  readonly status: number;
}

const DEADLINE_MS = 60_000;
const REST_MS = 100;

function requestOf({ url, headers = [] }: ExactLoad): Buffer {
  const { host, pathname, search } = new URL(url);
  const lines = [`GET ${pathname}${search} HTTP/1.1`, `Host: ${host}`, ...headers];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`);
}

async function open(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.setNoDelay(true);
  await once(socket, 'connect');
  return socket;
}

/** Asks until `take` says that there is nothing more to ask. */
async function ask(socket: Socket, load: ExactLoad, answerBytes: number, take: () => boolean): Promise<void> {
  const request = requestOf(load);
  let missingBytes = 0;
  const next = (): boolean => {
    if (!take()) return false;
    missingBytes = answerBytes;
    return socket.write(request);
  };
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.once('close', () => reject(new Error(`${load.url}: the connection was closed`)));
    socket.on('data', (chunk: Buffer) => {
      missingBytes -= chunk.byteLength;
      if (missingBytes < 0) reject(new Error(`${load.url}: an answer was longer than the first`));
      if (missingBytes === 0 && !next()) resolve();
    });
    if (!next()) resolve();
  });
}

/** How long an answer is, from one that is let come to rest. */
async function measureAnswer(load: ExactLoad): Promise<number> {
  const socket = await open(load.url);
  let answer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    answer = Buffer.concat([answer, chunk]);
  });
  socket.write(requestOf(load));
  await new Promise((resolve) => setTimeout(resolve, REST_MS));
  socket.destroy();
  if (!answer.subarray(0, 12).equals(Buffer.from(`HTTP/1.1 ${load.status}`))) {
    throw new Error(`${load.url}: ${answer.subarray(0, 40).toString('latin1')}`);
  }
  return answer.byteLength;
}

export async function exactHits(load: ExactLoad): Promise<void> {
  const answerBytes = await measureAnswer(load);
  let left = load.requests - 1;
  const take = (): boolean => {
    left -= 1;
    return left >= 0;
  };
  const sockets = await Promise.all(Array.from({ length: load.connections }, async () => open(load.url)));
  const timeout = setTimeout(() => {
    for (const socket of sockets) socket.destroy(new Error(`${load.url}: not answered in time`));
  }, DEADLINE_MS);
  try {
    await Promise.all(sockets.map(async (socket) => ask(socket, load, answerBytes, take)));
  } finally {
    clearTimeout(timeout);
    for (const socket of sockets) socket.destroy();
  }
}
