/** A page that follows the load's topic over SSE, and comes back by its cursor whenever the stream breaks. */
import { openRawStream, type RawStream } from '../../fixtures/raw-stream.ts';

export interface Follower {
  readonly connected: Promise<void>;
  /** Ids of the finals that it was told of. */
  readonly heard: ReadonlySet<string>;
  /** How often it was told that something may be missing. */
  gaps(): number;
  /** How often its stream broke and was opened again. */
  reconnects(): number;
  stop(): Promise<void>;
}

const POLL_MS = 10;
const RETRY_MS = 50;

const sleep = async (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export function startFollower(port: () => number, topic: string): Follower {
  const heard = new Set<string>();
  let cursor = '';
  let gaps = 0;
  let opened = 0;
  let isStopping = false;
  let connect = (): void => undefined;
  const connected = new Promise<void>((resolve) => {
    connect = resolve;
  });

  function take(stream: RawStream, from: number): number {
    for (const { event, data } of stream.events().slice(from)) {
      if (event === 'image.ready') heard.add((JSON.parse(data) as { id: string }).id);
      if (event === 'gap') gaps += 1;
    }
    cursor = stream.lastId() === '' ? cursor : stream.lastId();
    return stream.events().length;
  }

  async function read(): Promise<void> {
    const headers = cursor === '' ? '' : `Last-Event-ID: ${cursor}\r\n`;
    const stream = await openRawStream(port(), `/events?topic=${topic}`, headers);
    try {
      if (stream.head() === '') return;
      opened += 1;
      connect();
      for (let taken = 0; !isStopping && !stream.isClosed(); await sleep(POLL_MS))
        taken = take(stream, taken);
    } finally {
      stream.destroy();
    }
  }

  async function follow(): Promise<void> {
    while (!isStopping) {
      await read().catch(() => undefined);
      if (!isStopping) await sleep(RETRY_MS);
    }
  }
  const following = follow();
  return {
    connected,
    heard,
    gaps: () => gaps,
    reconnects: () => Math.max(0, opened - 1),
    async stop() {
      isStopping = true;
      await following;
    },
  };
}
