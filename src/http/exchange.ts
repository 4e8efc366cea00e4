/**
 * The one owner of an HttpResponse that is not answered at once: copies the request out of the native
 * object, turns an abort into an AbortSignal, corks, and ends exactly once. Knows no route.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { HttpRequest, HttpResponse } from 'uWebSockets.js';
import type { ClientOf } from '../core/client-address.ts';
import { noteTrace, parseTraceparent } from '../core/trace-context.ts';
import type { Attention } from '../observe/attention.ts';
import type { Log } from '../observe/log.ts';
import { FIRST_HEADER } from './representation-head.ts';
import { openRequestBody, type RequestBody } from './request-body.ts';
import { endWithChunks } from './send-chunks.ts';
import { endBodiless, endHead, endWithBytes, endWithPieces } from './send-body.ts';
import { endTransfer } from './transfers.ts';

export interface Request {
  readonly method: string;
  /** As sent: still percent-encoded. */
  readonly path: string;
  readonly query: string;
  /** '' when absent; the name in lower case. */
  header(name: string): string;
  /** All of them, names in lower case, repeated ones joined. */
  readonly headers: ReadonlyMap<string, string>;
  /** Who connected: the proxy, where there is one. */
  readonly peerAddress: () => string;
  /** Who counts as one client. */
  readonly clientAddress: () => string;
}

export type Headers = readonly (readonly [name: string, value: string])[];

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** A block of representation-head.ts, written before the headers. */
  readonly head?: string;
  readonly body?: string | Uint8Array;
  /** Nothing more may be read from this connection: it ends with the answer, which has to be a small one. */
  readonly endsConnection?: boolean;
}

export interface Exchange {
  readonly id: string;
  /** What every log line of this request begins with. */
  readonly logFields: { readonly requestId: string; readonly traceId?: string };
  readonly request: Request;
  readonly startedAtMs: number;
  /** Aborts when the client leaves before the answer has ended. */
  readonly signal: AbortSignal;
  /** Whether an answer has begun, or the client has left. */
  isOver(): boolean;
  /** Ends with this answer; does nothing when the exchange is over. */
  send(answer: Answer): void;
  /** Begins the answer and reads `pieces` as the client takes them; undefined: their end will tell how many. */
  sendPieces(
    answer: Answer,
    pieces: AsyncIterable<Uint8Array>,
    totalBytes: number | undefined,
  ): Promise<void>;
  /** Hands the response over to a stream that lives on; the exchange counts as ended. */
  hijack(): HttpResponse;
  readonly body: RequestBody;
  /** Whether the connection closes after the answer. */
  isLastOfConnection(): boolean;
}

const STATUS_TEXT: Readonly<Record<number, string>> = {
  200: '200 OK',
  201: '201 Created',
  202: '202 Accepted',
  204: '204 No Content',
  206: '206 Partial Content',
  304: '304 Not Modified',
  400: '400 Bad Request',
  401: '401 Unauthorized',
  403: '403 Forbidden',
  404: '404 Not Found',
  405: '405 Method Not Allowed',
  408: '408 Request Timeout',
  413: '413 Content Too Large',
  415: '415 Unsupported Media Type',
  416: '416 Range Not Satisfiable',
  422: '422 Unprocessable Content',
  426: '426 Upgrade Required',
  429: '429 Too Many Requests',
  500: '500 Internal Server Error',
  502: '502 Bad Gateway',
  503: '503 Service Unavailable',
  504: '504 Gateway Timeout',
};

function statusLine(status: number): string {
  return STATUS_TEXT[status] ?? `${status} Status`;
}

const ID_PREFIX = Math.floor(Date.now() % 2 ** 31).toString(36);
let sequence = 0;

function nextId(): string {
  sequence = (sequence + 1) % Number.MAX_SAFE_INTEGER;
  return `${ID_PREFIX}-${sequence.toString(36)}`;
}

/** A control character in a header value could end the header (CWE-113): such a value is dropped whole. */
function isSafeHeader(value: string): boolean {
  // eslint-disable-next-line no-control-regex
  return !/[\u0000-\u0008\u000a-\u001f\u007f]/.test(value);
}

function copyRequest(res: HttpResponse, req: HttpRequest, clientOf: ClientOf | undefined): Request {
  const headers = new Map<string, string>();
  req.forEach((name, value) => {
    const known = headers.get(name);
    headers.set(name, known === undefined ? value : `${known}, ${value}`);
  });
  const address = Buffer.from(res.getRemoteAddressAsText()).toString();
  return {
    method: req.getCaseSensitiveMethod(),
    path: req.getUrl(),
    query: req.getQuery() ?? '',
    header: (name) => headers.get(name) ?? '',
    headers,
    peerAddress: () => address,
    clientAddress: () => clientOf?.(address, headers.get('x-forwarded-for') ?? '') ?? address,
  };
}

function writeHead(res: HttpResponse, answer: Answer, id: string, isStopping: boolean): void {
  res.writeStatus(statusLine(answer.status));
  if (answer.head !== undefined) res.writeHeader(FIRST_HEADER, answer.head);
  for (const [name, value] of answer.headers) {
    if (isSafeHeader(value)) res.writeHeader(name, value);
  }
  res.writeHeader('X-Request-Id', id);
  if (isStopping) res.writeHeader('Connection', 'close');
}

/** Whether an answer of this status or to this method carries no body at all (RFC 9110 6.4.1). */
function isBodiless(method: string, status: number): boolean {
  return method === 'HEAD' || status === 204 || status === 304;
}

/** A 204 has no Content-Length, and that of a 304 would have to be the whole representation's (RFC 9110 8.6). */
function hasLength(status: number): boolean {
  return status !== 204 && status !== 304;
}

export interface ExchangeContext {
  readonly log: Log;
  readonly attention?: Attention;
  /** Set when the server stops: answers from then on ask the client to close its connection. */
  stopping?: boolean;
  /** Undefined: who connects is the client. */
  readonly clientOf?: ClientOf;
}

function announcesBody(request: Request): boolean {
  const length = request.header('content-length');
  return (length !== '' && !/^0+$/.test(length)) || request.header('transfer-encoding') !== '';
}

function logFieldsOf(requestId: string, request: Request, signal: AbortSignal): Exchange['logFields'] {
  const trace = parseTraceparent(request.header('traceparent'));
  if (trace === undefined) return { requestId };
  noteTrace(signal, trace);
  return { requestId, traceId: trace.traceId };
}

/**
 * Where the library closes with the answer (it looks at the length of the value) the answer has a turn of its
 * own. In the midst of a packet it would run the packet's next request on a socket that is gone, and tell
 * nobody of its end: whoever answered that one later wrote to freed memory (CWE-416).
 */
function mayCloseAfter(request: Request): boolean {
  return !['', 'keep-alive'].includes(request.header('connection').toLowerCase());
}

/** Within a cork. */
function writeWhole(
  res: HttpResponse,
  request: Request,
  answer: Answer,
  id: string,
  isStopping: boolean,
): void {
  const body = typeof answer.body === 'string' ? Buffer.from(answer.body) : (answer.body ?? new Uint8Array());
  writeHead(res, answer, id, isStopping);
  if (answer.endsConnection === true) res.end(body, true);
  else if (isBodiless(request.method, answer.status)) {
    if (hasLength(answer.status)) endHead(res, body.byteLength);
    else endBodiless(res);
  } else endWithBytes(res, body);
}

/** Takes the response over; call it before the handler's first await. */
export function openExchange(res: HttpResponse, req: HttpRequest, context: ExchangeContext): Exchange {
  const { log } = context;
  const request = copyRequest(res, req, context.clientOf);
  const controller = new AbortController();
  const id = nextId();
  const startedAtMs = performance.now();
  let begun = false;

  const logFields = logFieldsOf(id, request, controller.signal);

  const logEnd = (status: number): void => {
    const ms = Math.round((performance.now() - startedAtMs) * 100) / 100;
    context.attention?.answered(request.method, request.path, status, ms);
    if (!log.isLevelEnabled('debug')) return;
    log.debug({ ...logFields, method: request.method, path: request.path, status, ms }, 'request');
  };

  res.onAborted(() => {
    endTransfer(res);
    controller.abort();
    if (!begun) logEnd(499);
    begun = true;
  });

  const isLastOfConnection = (): boolean =>
    context.stopping === true || request.header('connection').toLowerCase() === 'close';

  const begin = (answer: Answer): boolean => {
    if (begun) return false;
    begun = true;
    logEnd(answer.status);
    return true;
  };

  const mayClose = mayCloseAfter(request);

  return {
    id,
    logFields,
    request,
    startedAtMs,
    signal: controller.signal,
    body: openRequestBody(res, announcesBody(request)),
    isLastOfConnection,
    isOver: () => begun,
    send(answer) {
      if (!begin(answer)) return;
      const write = (): void => {
        res.cork(() => writeWhole(res, request, answer, id, context.stopping === true));
      };
      if (mayClose) setImmediate(() => void (controller.signal.aborted || write()));
      else write();
    },
    async sendPieces(answer, pieces, totalBytes) {
      if (!begin(answer)) return;
      if (mayClose) await nextTurn();
      if (controller.signal.aborted) return;
      res.cork(() => {
        writeHead(res, answer, id, context.stopping === true);
        if (!isBodiless(request.method, answer.status)) return;
        if (totalBytes === undefined || !hasLength(answer.status)) endBodiless(res);
        else endHead(res, totalBytes);
      });
      if (isBodiless(request.method, answer.status)) return;
      if (totalBytes === undefined) await endWithChunks(res, pieces, controller.signal);
      else await endWithPieces(res, pieces, totalBytes, controller.signal);
    },
    hijack() {
      begun = true;
      logEnd(200);
      return res;
    },
  };
}
