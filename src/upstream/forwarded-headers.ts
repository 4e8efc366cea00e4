/** Which headers pass between the client and the upstream application, each way (RFC 9110 7.6.1). Pure. */
import { parseTraceparent } from '../core/trace-context.ts';
import type { ApiRequest, HeaderPairs } from './api-message.ts';

const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
/** The client's own cache and ranges are our business; its length is that of the body we send. */
const ANSWERED_HERE: ReadonlySet<string> = new Set([
  'content-length',
  'expect',
  'host',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'range',
]);
/**
 * Headers by which a client can make an application answer for another host or path: in an answer that
 * is kept for everybody they would be poison.
 */
const POISON = /^(x-forwarded-.*|forwarded|x-real-ip|x-original-.*|x-rewrite-.*|x-http-method.*|x-host)$/;
/** Ours, or about the connection: made anew for each answer. */
const MADE_HERE: ReadonlySet<string> = new Set([
  'age',
  'cache-status',
  'content-length',
  'server-timing',
  'x-request-id',
]);

/** Names that a Connection header adds to those of the connection. */
function namedByConnection(headers: ReadonlyMap<string, string>): ReadonlySet<string> {
  const names = (headers.get('connection') ?? '').toLowerCase().split(',');
  return new Set(names.map((name) => name.trim()));
}

/** The request's trace goes on, unless it is none (W3C Trace Context 3.2.4). */
function dropBadTrace(headers: Record<string, string>): void {
  const { traceparent } = headers;
  if (traceparent === undefined || parseTraceparent(traceparent) === undefined) {
    delete headers['traceparent'];
    delete headers['tracestate'];
  }
}

/** For an answer that may be kept for everybody. */
export function sharedRequestHeaders(request: ApiRequest): Record<string, string> {
  const named = namedByConnection(request.headers);
  const headers: Record<string, string> = {};
  for (const [name, value] of request.headers) {
    const stays = HOP_BY_HOP.has(name) || named.has(name) || ANSWERED_HERE.has(name) || POISON.test(name);
    if (!stays) headers[name] = value;
  }
  dropBadTrace(headers);
  headers['accept-encoding'] = acceptedEncoding(request);
  headers['via'] = '1.1 afterimage';
  return headers;
}

/** For this client alone: conditions and ranges pass, and the application learns who asks. */
export function ownRequestHeaders(request: ApiRequest): Record<string, string> {
  const named = namedByConnection(request.headers);
  const headers: Record<string, string> = {};
  for (const [name, value] of request.headers) {
    const stays =
      HOP_BY_HOP.has(name) ||
      named.has(name) ||
      name === 'host' ||
      name === 'expect' ||
      name === 'content-length';
    if (!stays) headers[name] = value;
  }
  dropBadTrace(headers);
  const before = request.headers.get('x-forwarded-for');
  headers['x-forwarded-for'] =
    before === undefined ? request.clientAddress : `${before}, ${request.clientAddress}`;
  const host = request.headers.get('host');
  if (host !== undefined) headers['x-forwarded-host'] = host;
  headers['via'] = '1.1 afterimage';
  if (request.body !== undefined) headers['content-length'] = String(request.body.byteLength);
  return headers;
}

/** Two forms and no more: each other text of the header would be an entry of its own. */
export function acceptedEncoding(request: ApiRequest): 'gzip' | 'identity' {
  const accepted = request.headers.get('accept-encoding') ?? '';
  return /\bgzip\b(?!\s*;\s*q\s*=\s*0(\.0*)?\s*(,|$))/i.test(accepted) ? 'gzip' : 'identity';
}

/** What of an answer's head is the client's to see. */
export function responseHeaders(
  headers: ReadonlyMap<string, string>,
  setCookies: readonly string[],
): HeaderPairs {
  const named = namedByConnection(headers);
  const kept = [...headers].filter(
    ([name]) => !HOP_BY_HOP.has(name) && !named.has(name) && !MADE_HERE.has(name),
  );
  return [...kept, ...setCookies.map((cookie) => ['set-cookie', cookie] as const)];
}
