/**
 * HTTP for a load: kept-alive connections, an answer as bytes with its digest, and clients that are no
 * good: that leave, and that read slowly. Knows no route.
 */
import { Agent, request, type ClientRequest, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { sha256 } from './bodies.ts';

export interface Asking {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  /** In pieces of this size, without a Content-Length. */
  readonly chunkBytes?: number;
  /** Leaves after so many bytes of the body were sent. */
  readonly leaveAfterSent?: number;
  /** Leaves after so many bytes of the answer were read. */
  readonly leaveAfterRead?: number;
  /** Rests so long after every piece that was read. */
  readonly restMs?: number;
}

export interface Answered {
  readonly status: number;
  readonly bytes: Buffer;
  readonly digest: string;
  /** When the request began. */
  readonly askedMs: number;
  header(name: string): string;
}

/** What it was when there was no answer: `left` is the client's own doing. */
export type Failure = 'left' | 'broken' | 'hung';

export type Ask = (path: string, asking?: Asking) => Promise<Answered | Failure>;

const DEADLINE_MS = 60_000;
/** Below the ten seconds after which the server closes an idle connection. */
const IDLE_MS = 4000;

/** A kept-alive connection may close just as it is used again: every client tries once more then. */
function isStale(sent: ClientRequest, error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : '';
  return sent.reusedSocket && (code === 'ECONNRESET' || code === 'EPIPE');
}

async function read(
  message: IncomingMessage,
  { leaveAfterRead = Infinity, restMs = 0 }: Asking,
): Promise<Buffer | 'left'> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of message as AsyncIterable<Buffer>) {
    pieces.push(piece);
    bytes += piece.byteLength;
    if (bytes >= leaveAfterRead) return 'left';
    if (restMs > 0) await sleep(restMs);
  }
  return Buffer.concat(pieces);
}

function send(sent: ClientRequest, asking: Asking): void {
  const bytes = Buffer.from(asking.body ?? '');
  const { chunkBytes, leaveAfterSent } = asking;
  if (leaveAfterSent !== undefined) {
    sent.write(bytes.subarray(0, leaveAfterSent), () => void setTimeout(() => sent.destroy(), 20));
    return;
  }
  if (chunkBytes === undefined) return void sent.end(bytes);
  for (let at = 0; at < bytes.length; at += chunkBytes) sent.write(bytes.subarray(at, at + chunkBytes));
  sent.end();
}

export interface Asker {
  readonly ask: Ask;
  close(): void;
}

export function createAsker(port: number): Asker {
  const agent = new Agent({ keepAlive: true, maxSockets: 256, timeout: IDLE_MS });

  async function attempt(path: string, asking: Asking): Promise<Answered | Failure | 'stale'> {
    const { method = 'GET', headers = {}, body, chunkBytes } = asking;
    const askedMs = performance.now();
    const length =
      body === undefined || chunkBytes !== undefined ? {} : { 'Content-Length': Buffer.byteLength(body) };
    const leaves = asking.leaveAfterSent !== undefined || asking.leaveAfterRead !== undefined;
    const sent = request({
      host: '127.0.0.1',
      port,
      path,
      method,
      agent,
      headers: { ...headers, ...length },
    });
    let isLate = false;
    const deadline = setTimeout(() => {
      isLate = true;
      sent.destroy();
    }, DEADLINE_MS);
    try {
      const answer = new Promise<IncomingMessage>((resolve, reject) => {
        sent.once('response', resolve);
        sent.on('error', reject);
      });
      send(sent, asking);
      const message = await answer;
      const bytes = await read(message, asking);
      if (bytes === 'left') {
        sent.destroy();
        return 'left';
      }
      const header = (name: string): string => String(message.headers[name] ?? '');
      return { status: message.statusCode ?? 0, bytes, digest: sha256(bytes), askedMs, header };
    } catch (error) {
      if (isLate) return 'hung';
      if (leaves) return 'left';
      return isStale(sent, error) ? 'stale' : 'broken';
    } finally {
      clearTimeout(deadline);
    }
  }

  return {
    async ask(path, asking = {}) {
      const first = await attempt(path, asking);
      if (first !== 'stale') return first;
      const second = await attempt(path, asking);
      return second === 'stale' ? 'broken' : second;
    },
    close: () => agent.destroy(),
  };
}
