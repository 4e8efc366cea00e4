/** Bodies of which nobody knows how long they are: whole up to a limit, pieces beyond it. */
import { isWhole, type BodyStream } from '../core/entry.ts';

export type ReadUpTo =
  | { readonly kind: 'whole'; readonly body: Uint8Array }
  /** All of it from the start: what was read already, then the rest as it comes. */
  | { readonly kind: 'more'; readonly pieces: AsyncGenerator<Uint8Array> };

export async function readUpTo(pieces: AsyncGenerator<Uint8Array>, limitBytes: number): Promise<ReadUpTo> {
  const seen: Uint8Array[] = [];
  let bytes = 0;
  for (;;) {
    const next = await pieces.next();
    if (next.done === true) return { kind: 'whole', body: Buffer.concat(seen) };
    seen.push(next.value);
    bytes += next.value.byteLength;
    if (bytes > limitBytes) return { kind: 'more', pieces: replay(seen, pieces) };
  }
}

async function* replay(seen: Uint8Array[], rest: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    for (let piece = seen.shift(); piece !== undefined; piece = seen.shift()) yield piece;
    yield* rest;
  } finally {
    await rest.return(undefined);
  }
}

export async function wholeOf(
  body: Uint8Array | BodyStream,
  bytes: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  if (isWhole(body)) return body;
  const pieces: Uint8Array[] = [];
  for await (const piece of body.read(0, bytes - 1, signal)) pieces.push(piece);
  return Buffer.concat(pieces);
}
