/**
 * Moves a body to the socket as fast as the reader takes it: nothing is buffered beyond the piece in
 * hand. Knows bytes and uWebSockets.js, not what they mean.
 */
import type { HttpResponse } from 'uWebSockets.js';
import { beginTransfer, endTransfer } from './transfers.ts';

/** What reading a body in pieces takes: the piece in hand and the one that is read. */
const PIECES_HELD_BYTES = 512 * 1024;
/** Of answers without a body one in so many waits for the next turn. */
const BODILESS_TO_WAIT = 32;

let bodiless = 0;

/**
 * Whether the next answer without a body (204, 304, to HEAD) is to wait. How much of such answers lies in
 * the library for a client that reads none cannot be asked; but it cuts one that asks again while an
 * answer is due. So now and then one is due for a turn, which only a client that sends its requests all at
 * once will notice.
 */
export function isToWait(): boolean {
  bodiless = (bodiless + 1) % BODILESS_TO_WAIT;
  return bodiless === 0;
}

/** The answer that has no body. Status and headers are written already. */
export function endBodiless(res: HttpResponse): void {
  if (isToWait()) answerInNextTurn(res, () => void res.endWithoutBody());
  else res.endWithoutBody();
}

/** What is written before it goes out by itself: `answer` had better write all. */
export function answerInNextTurn(res: HttpResponse, answer: () => void): void {
  let isGone = false;
  res.onAborted(() => {
    isGone = true;
  });
  setImmediate(() => {
    if (!isGone) res.cork(answer);
  });
}

/**
 * The answer to HEAD. Not `endWithoutBody(totalBytes)`: to the library that response never ends, and it
 * closes the connection, or terminates where no onAborted is set (test/integration/head.test.ts).
 */
export function endHead(res: HttpResponse, totalBytes: number): void {
  res.writeHeader('Content-Length', String(totalBytes));
  endBodiless(res);
}

/**
 * Ends the response with bytes at hand. Status and headers are written already, within the same cork.
 * False: the rest goes as the client takes it. The caller has registered onAborted then, or does it now,
 * and calls endTransfer in it. Never `end`, however little there is: what the socket does not take of
 * it the library buffers, for each of the requests that a client sends at once without reading an answer.
 */
export function endWithBytes(res: HttpResponse, body: Uint8Array): boolean {
  if (body.byteLength === 0) {
    res.end();
    return true;
  }
  const [sent] = res.tryEnd(body, body.byteLength);
  if (!sent) sendRest(res, body);
  return sent;
}

/** A function of its own: a closure in the one above would cost every hit its context. */
function sendRest(res: HttpResponse, body: Uint8Array): void {
  beginTransfer(res, body.buffer, body.buffer.byteLength);
  res.onWritable((offset) => {
    const [done] = res.tryEnd(body.subarray(offset), body.byteLength);
    if (done) endTransfer(res);
    return done;
  });
}

/**
 * Ends the response with pieces that are read as the client takes them. Rejects when the source fails
 * (the response is then cut, so that a short body is never taken for a whole one); returns early when
 * the client leaves.
 */
export async function endWithPieces(
  res: HttpResponse,
  pieces: AsyncIterable<Uint8Array>,
  total: number,
  signal: AbortSignal,
): Promise<void> {
  let wake: (() => void) | undefined;
  res.onWritable(() => {
    wake?.();
    return true;
  });
  const writable = async (): Promise<void> =>
    new Promise((resolve) => {
      wake = resolve;
    });
  const left = (): void => wake?.();
  signal.addEventListener('abort', left);
  beginTransfer(res, res, PIECES_HELD_BYTES);
  /** Takes what the socket takes of the piece; the rest, if any, is for when it can take more. */
  const offer = (piece: Uint8Array): Uint8Array => {
    let rest = piece;
    res.cork(() => {
      const before = sentBytes;
      const [taken] = res.tryEnd(piece, total);
      sentBytes = taken ? before + piece.byteLength : res.getWriteOffset();
      rest = piece.subarray(sentBytes - before);
    });
    return rest;
  };
  const sendAll = async (piece: Uint8Array): Promise<void> => {
    let rest = piece;
    while (rest.byteLength > 0 && !signal.aborted) {
      rest = offer(rest);
      if (rest.byteLength > 0) await writable();
    }
  };
  let sentBytes = 0;
  try {
    for await (const piece of pieces) {
      await sendAll(piece);
      if (signal.aborted) return;
    }
    if (sentBytes < total) res.close();
  } catch (error) {
    if (!signal.aborted) res.close();
    throw error;
  } finally {
    endTransfer(res);
    signal.removeEventListener('abort', left);
  }
}
