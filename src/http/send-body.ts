/**
 * Moves a body to the socket as fast as the reader takes it: nothing is buffered beyond the piece in
 * hand. Knows bytes and uWebSockets.js, not what they mean.
 */
import type { HttpResponse } from 'uWebSockets.js';

/** Up to this, one `end` (one copy into the socket's buffer if it is full) is cheaper than tracking offsets. */
const END_AT_ONCE_BYTES = 64 * 1024;

/** Responses whose body is under way: a graceful stop waits for them. */
const underWay = new Set<HttpResponse>();

export function transfersUnderWay(): number {
  return underWay.size;
}

/** The client left: whoever registered onAborted says so here. */
export function forgetTransfer(res: HttpResponse): void {
  underWay.delete(res);
}

/** Whether endWithBytes is done with the response when it returns: it needs no onAborted then. */
export function endsAtOnce(body: Uint8Array): boolean {
  return body.byteLength <= END_AT_ONCE_BYTES;
}

/**
 * The answer to HEAD. Not `endWithoutBody(totalBytes)`: to the library that response never ends, and it
 * closes the connection, or terminates where no onAborted is set (test/integration/head.test.ts).
 */
export function endHead(res: HttpResponse, totalBytes: number): void {
  res.writeHeader('Content-Length', String(totalBytes));
  res.endWithoutBody();
}

/**
 * Ends the response with bytes at hand. Status and headers are written already, within the same cork.
 * The caller has registered onAborted, and calls forgetTransfer in it.
 */
export function endWithBytes(res: HttpResponse, body: Uint8Array): void {
  if (endsAtOnce(body)) {
    res.end(body);
    return;
  }
  const total = body.byteLength;
  const [sent] = res.tryEnd(body, total);
  if (sent) return;
  underWay.add(res);
  res.onWritable((offset) => {
    const [done] = res.tryEnd(body.subarray(offset), total);
    if (done) underWay.delete(res);
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
  underWay.add(res);
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
    underWay.delete(res);
    signal.removeEventListener('abort', left);
  }
}
