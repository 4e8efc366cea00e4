/**
 * The load that pushes every budget at once: uploads that crawl at their limit, renderings of the largest
 * images, readers that take nothing or little of images and of streams, requests sent without reading.
 * Nothing here waits for good answers: 503 is what most of it should get.
 */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { makePng } from '../make-png.ts';
import type { Action, Stage, Weighted } from './stage.ts';
import { expectStatus, received } from './stage.ts';

export interface SqueezeSizes {
  readonly imageBytes: number;
  /** Of the largest image that is taken, in pixels. */
  readonly side: number;
  /** Connections of each kind of bad client. */
  readonly crowd: number;
  readonly images: number;
}

export interface Squeeze {
  stop(): Promise<void>;
}

const STEP_MS = 500;
/** Above what the library cuts an upload for. */
const UPLOAD_BYTES_PER_STEP = 24 * 1024;

/** A socket that says something, and then does as it likes until it is closed, when another takes its place. */
async function keep(
  stage: Stage,
  isStopping: () => boolean,
  speak: (socket: Socket) => Promise<void>,
): Promise<void> {
  while (!isStopping()) {
    const socket = connect({ port: stage.port, host: '127.0.0.1' });
    let isOver = false;
    socket.on('error', () => undefined);
    socket.on('close', () => (isOver = true));
    socket.once('connect', () => void speak(socket).catch(() => undefined));
    while (!isOver && !isStopping()) await sleep(STEP_MS);
    socket.destroy();
    await sleep(stage.draw.below(500));
  }
}

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: soak\r\n\r\n`;

function clientsOf(stage: Stage, sizes: SqueezeSizes): readonly ((socket: Socket) => Promise<void>)[] {
  const { imageBytes, images } = sizes;
  const path = (): string => `/images/big/${stage.draw.below(images)}`;
  const body = Buffer.from(stage.bodies.good.at(-1)?.bytes ?? []);
  return [
    async function crawlingUpload(socket) {
      socket.write(`PUT /images/crawl HTTP/1.1\r\nHost: soak\r\nContent-Length: ${imageBytes}\r\n\r\n`);
      for (let sent = 0; sent < imageBytes && !socket.destroyed; sent += UPLOAD_BYTES_PER_STEP) {
        socket.write(body.subarray(sent % body.length, (sent % body.length) + UPLOAD_BYTES_PER_STEP));
        await sleep(STEP_MS);
      }
    },
    async function slowDownload(socket) {
      socket.write(get(path()));
      for (; !socket.destroyed; await sleep(STEP_MS)) {
        socket.resume();
        await sleep(1);
        socket.pause();
      }
    },
    async function unreadRequests(socket) {
      socket.pause();
      socket.write(get(path()).repeat(200));
    },
    async function unreadStream(socket) {
      socket.pause();
      // From the beginning of history, everything, with the image in it.
      socket.write(get('/events?topic=*&inline=full&inline_max=1048576&since=1-0'));
    },
  ];
}

const render =
  ({ images }: SqueezeSizes): Action =>
  async (stage) => {
    const path = `/images/big/${stage.draw.below(images)}?q=${5 * (1 + stage.draw.below(20))}&format=webp`;
    const got = received(stage, 'render largest', await stage.ask(path));
    if (got !== undefined) expectStatus(stage, 'render largest', got, 200, 404);
  };

const upload =
  ({ images, imageBytes }: SqueezeSizes): Action =>
  async (stage) => {
    const body = Buffer.from(makePng(imageBytes - stage.draw.below(5000), stage.draw.below(1000)));
    const asking = { method: 'PUT', body: JSON.stringify({ base64_data: body.toString('base64') }) };
    const headers = { 'Content-Type': 'application/json' };
    const path = `/images/big/${stage.draw.below(images)}?topic=crowd:0`;
    const got = received(stage, 'put largest', await stage.ask(path, { ...asking, headers }));
    if (got !== undefined) expectStatus(stage, 'put largest', got, 200, 201);
  };

export function squeezeActions(sizes: SqueezeSizes): Weighted {
  return [
    [3, 'render largest', render(sizes)],
    [2, 'put largest', upload(sizes)],
  ];
}

export async function startSqueeze(stage: Stage, sizes: SqueezeSizes): Promise<Squeeze> {
  for (let at = 0; at < sizes.images; at += 1) {
    const body = makePng(sizes.imageBytes - at * 64, at + 1);
    const got = received(stage, 'put largest', await stage.ask(`/images/big/${at}`, { method: 'PUT', body }));
    if (got !== undefined) expectStatus(stage, 'put largest', got, 200, 201);
  }
  let isStopping = false;
  const clients = clientsOf(stage, sizes);
  const loops = Array.from({ length: sizes.crowd }, () => clients)
    .flat()
    .map(async (speak) => keep(stage, () => isStopping, speak));
  return {
    async stop() {
      isStopping = true;
      await Promise.all(loops);
    },
  };
}
