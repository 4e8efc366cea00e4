/** /api/*: requests to the upstream application, answered from its cache where that may be. */
import { AppError } from '../../errors.ts';
import type { Log } from '../../observe/log.ts';
import type { ApiAnswer, ApiRequest, ApiTrace } from '../../upstream/api-message.ts';
import type { ApiCache } from '../../upstream/api-cache.ts';
import type { ClientLimits, Spend } from '../client-limits.ts';
import { noneMatchHits } from '../conditional.ts';
import type { Answer, Exchange } from '../exchange.ts';
import { readBody } from '../read-body.ts';
import type { Route } from '../routes.ts';
import type { UploadBudget } from '../upload-budget.ts';

export interface ApiRoutesDeps {
  readonly api: ApiCache;
  readonly budget: UploadBudget;
  readonly limits: ClientLimits;
  readonly bodyBytesMax: number;
  readonly log: Pick<Log, 'debug'>;
}

const PATTERN = '/api/*';
/** Words that a reader of logs looks for. */
const LOGGED = { hit: 'HIT', stale: 'STALE', miss: 'MISS', expired: 'EXPIRED', bypass: 'BYPASS' } as const;

/** RFC 9211. */
function cacheStatus(trace: ApiTrace): string {
  const how = {
    hit: 'hit',
    stale: `hit; detail=${trace.afterError === true ? 'stale-if-error' : 'stale'}`,
    miss: 'fwd=uri-miss',
    expired: 'fwd=stale',
    bypass: 'fwd=bypass',
  }[trace.kind];
  const ttl = trace.ttlS === undefined ? '' : `; ttl=${trace.ttlS}`;
  const stored = trace.stored === true ? '; stored' : '';
  const collapsed = trace.collapsed === true ? '; collapsed' : '';
  return `api; ${how}${ttl}${stored}${collapsed}`;
}

/** Of what is kept only: what passes through was asked for with the client's own conditions. */
function isUnmodified(exchange: Exchange, answer: ApiAnswer): boolean {
  const condition = exchange.request.header('if-none-match');
  if (answer.status !== 200 || answer.trace.kind === 'bypass' || condition === '') return false;
  const etag = answer.headers.find(([name]) => name === 'etag')?.[1] ?? '';
  return etag !== '' && noneMatchHits(condition, etag.replace(/^W\//, ''));
}

async function send(exchange: Exchange, answer: ApiAnswer): Promise<void> {
  const status = ['Cache-Status', cacheStatus(answer.trace)] as const;
  if (isUnmodified(exchange, answer)) {
    const headers = answer.headers.filter(([name]) => !name.startsWith('content-'));
    return exchange.send({ status: 304, headers: [...headers, status] });
  }
  const head: Answer = { status: answer.status, headers: [...answer.headers, status] };
  if (answer.body instanceof Uint8Array) return exchange.send({ ...head, body: answer.body });
  await exchange.sendPieces(head, answer.body, answer.bytes);
}

async function readRequestBody(exchange: Exchange, deps: ApiRoutesDeps) {
  const { request, signal } = exchange;
  return readBody(exchange.body, {
    contentLength: request.header('content-length'),
    limitBytes: deps.bodyBytesMax,
    budget: deps.budget,
    signal,
  }).catch((thrown: unknown) => {
    const isTooLarge = thrown instanceof AppError && thrown.code === 'image_too_large';
    throw isTooLarge ? new AppError('image_too_large', 'The limit is API_MAX_BODY_MB.') : thrown;
  });
}

async function handle(exchange: Exchange, spend: Spend, deps: ApiRoutesDeps): Promise<void> {
  const { method, path, query, headers, peerAddress } = exchange.request;
  const isRead = method === 'GET' || method === 'HEAD';
  const read = isRead ? undefined : await readRequestBody(exchange, deps);
  try {
    const body = read === undefined ? undefined : new Uint8Array(read.body);
    const admit = (): void => spend('misses');
    const request: ApiRequest = { method, path, query, headers, clientAddress: peerAddress(), body, admit };
    const answer = await deps.api.handle(request, exchange.signal);
    deps.log.debug({ ...exchange.logFields, path, cache: LOGGED[answer.trace.kind] }, 'api');
    await send(exchange, answer);
  } finally {
    read?.release();
  }
}

export function apiRoutes(deps: ApiRoutesDeps): readonly Route[] {
  const methods = ['get', 'put', 'post', 'patch', 'del'] as const;
  return methods.map((method) => ({
    method,
    pattern: PATTERN,
    handle: async (exchange) =>
      deps.limits.run(exchange.request.clientAddress, async (spend) => handle(exchange, spend, deps)),
  }));
}
