/** Requests as bytes, and where they are cut into writes. */
import type { Random } from './random.ts';

export interface RequestText {
  readonly method: string;
  readonly target: string;
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly body?: Uint8Array;
  /** A chunk each, instead of a length. */
  readonly chunks?: readonly Uint8Array[];
}

const CRLF = '\r\n';

export function latin1(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

/** A whole request; header values as they are, so that they may be no proper ones. */
export function compose({ method, target, headers = [], body, chunks }: RequestText): Buffer {
  const lines = [
    `${method} ${target} HTTP/1.1`,
    'Host: fuzz',
    ...headers.map(([name, value]) => `${name}: ${value}`),
  ];
  if (chunks !== undefined) lines.push('Transfer-Encoding: chunked');
  else if (body !== undefined) lines.push(`Content-Length: ${body.length}`);
  const head = latin1(`${lines.join(CRLF)}${CRLF}${CRLF}`);
  if (chunks === undefined) return Buffer.concat([head, body ?? new Uint8Array()]);
  const framed = chunks
    .filter((chunk) => chunk.length > 0)
    .flatMap((chunk) => [latin1(`${chunk.length.toString(16)}${CRLF}`), chunk, latin1(CRLF)]);
  return Buffer.concat([head, ...framed, latin1(`0${CRLF}${CRLF}`)]);
}

/** The same bytes in one to `most` writes, cut anywhere. */
export function cutAnywhere(random: Random, bytes: Uint8Array, most: number): Uint8Array[] {
  const cuts = random.many(0, most - 1, () => random.int(0, bytes.length)).toSorted((a, b) => a - b);
  const edges = [0, ...cuts, bytes.length];
  return edges.slice(1).map((end, at) => bytes.subarray(edges[at] ?? 0, end));
}
