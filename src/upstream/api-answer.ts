/** Answers made of what is kept, and of what passes through. Pure. */
import { isWhole } from '../core/entry.ts';
import type { ApiAnswer, ApiTrace } from './api-message.ts';
import type { KeptResponse } from './api-store.ts';
import { responseHeaders } from './forwarded-headers.ts';
import type { UpstreamResponse } from './upstream-client.ts';

/** With Age (RFC 9111 5.1), and with a validator where the application gave none. */
export function keptAnswer(
  kept: KeptResponse,
  trace: ApiTrace,
  nowMs: number,
  signal: AbortSignal,
): ApiAnswer {
  const { status, headers, bytes, body, version, madeAtMs } = kept;
  const hasEtag = headers.some(([name]) => name === 'etag');
  const etag = hasEtag || status !== 200 ? [] : [['etag', `"${version}"`] as const];
  const age = ['age', String(Math.max(0, Math.floor((nowMs - madeAtMs) / 1000)))] as const;
  const sent = isWhole(body) ? body : body.read(0, bytes - 1, signal);
  return { status, headers: [...headers, ...etag, age], body: sent, bytes, trace };
}

export function passingAnswer(
  response: UpstreamResponse,
  pieces: AsyncIterable<Uint8Array>,
  trace: ApiTrace,
): ApiAnswer {
  const { status, headers, setCookies } = response;
  const length = headers.get('content-length');
  const bytes = length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : undefined;
  return { status, headers: responseHeaders(headers, setCookies), body: pieces, bytes, trace };
}
