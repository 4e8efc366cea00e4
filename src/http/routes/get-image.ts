/**
 * GET and HEAD /images/{id}. A hit in memory is answered here and now, without a promise, a closure or
 * an AbortSignal; everything else becomes an exchange and goes through the flow.
 */
import type { HttpRequest, HttpResponse } from 'uWebSockets.js';
import type { Found, Hot } from '../../cache/lookup.ts';
import { serveHot, serveImage, type ImageRequest, type ServeDeps } from '../../flows/serve-image.ts';
import { isSigned } from '../../core/signature.ts';
import { AppError } from '../../errors.ts';
import type { Log } from '../../observe/log.ts';
import type { Access } from '../access.ts';
import { answerFound, unsatisfiedRange } from '../answer-found.ts';
import { decide, type Conditions } from '../conditional.ts';
import { openExchange, type Request } from '../exchange.ts';
import { hotHead } from '../hot-head.ts';
import { createImageQueryReader, imageIdOf, type ImageQuery } from '../image-target.ts';
import { sendProblem } from '../problem.ts';
import { etagOf, FIRST_HEADER, type HeadSettings } from '../representation-head.ts';
import { endWithBytes, forgetTransfer } from '../send-body.ts';
import type { HttpCounters } from '../http-counters.ts';

export interface GetImageDeps {
  readonly serve: ServeDeps;
  readonly access: Access;
  readonly head: HeadSettings;
  readonly sizes: readonly number[];
  /** Keys of signed addresses; the first one signs, all of them are good. */
  readonly signingKeys: readonly string[];
  /** True: only signed addresses are served. */
  readonly signedOnly: boolean;
  readonly counters: HttpCounters;
  readonly log: Log;
}

const PREFIX = '/images/';

function conditionsOf(req: HttpRequest): Conditions {
  return {
    ifNoneMatch: req.getHeader('if-none-match'),
    ifModifiedSince: req.getHeader('if-modified-since'),
    range: req.getHeader('range'),
    ifRange: req.getHeader('if-range'),
  };
}

/** The URL names the bytes that are served: they can be kept for ever. */
export function isImmutable(entry: { version: string; parentVersion?: string }, query: ImageQuery): boolean {
  return query.version !== '' && query.version === (entry.parentVersion ?? entry.version);
}

export function createGetImage(deps: GetImageDeps): (res: HttpResponse, req: HttpRequest) => void {
  const readQuery = createImageQueryReader(deps.sizes);
  const isDebug = deps.log.isLevelEnabled('debug');

  const answerHot = (res: HttpResponse, req: HttpRequest, hot: Hot, query: ImageQuery): void => {
    const { entry, body } = hot;
    const immutable = isImmutable(entry, query);
    const varyAccept = query.variant?.format === 'auto';
    const validators = { etag: etagOf(entry), lastModifiedMs: entry.storedAtMs, bytes: entry.bytes };
    const decision = decide(conditionsOf(req), validators);
    const origin = deps.head.allowOrigin === '' ? req.getHeader('origin') : '';
    const isHead = req.getMethod() === 'head';
    deps.counters.memoryHits += 1;
    if (decision.kind === 'full') {
      res.writeHeader(FIRST_HEADER, hotHead(hot, { immutable, varyAccept, bodiless: false }, deps.head));
      writeOrigin(res, origin);
      if (isHead) res.endWithoutBody(entry.bytes);
      else sendHot(res, body);
      return;
    }
    if (decision.kind === 'not-modified') {
      deps.counters.notModified += 1;
      res.writeStatus('304 Not Modified');
      res.writeHeader(FIRST_HEADER, hotHead(hot, { immutable, varyAccept, bodiless: true }, deps.head));
      writeOrigin(res, origin);
      res.endWithoutBody();
      return;
    }
    if (decision.kind === 'unsatisfiable') {
      const exchange = openExchange(res, req, deps.log);
      const cors = deps.access.corsHeaders(exchange.request.header('origin'));
      const error = new AppError('range_not_satisfiable');
      sendProblem(exchange, error, deps, [...cors, ...unsatisfiedRange(entry.bytes)]);
      return;
    }
    const { from, to } = decision;
    res.writeStatus('206 Partial Content');
    res.writeHeader(FIRST_HEADER, hotHead(hot, { immutable, varyAccept, bodiless: false }, deps.head));
    writeOrigin(res, origin);
    res.writeHeader('Content-Range', `bytes ${from}-${to}/${entry.bytes}`);
    if (isHead) res.endWithoutBody(to - from + 1);
    else sendHot(res, body.subarray(from, to + 1));
  };

  const writeOrigin = (res: HttpResponse, origin: string): void => {
    if (origin === '') return;
    for (const [name, value] of deps.access.corsHeaders(origin)) {
      if (name !== 'Vary') res.writeHeader(name, value);
    }
  };

  const answerCold = async (res: HttpResponse, req: HttpRequest): Promise<void> => {
    const exchange = openExchange(res, req, deps.log);
    const { request } = exchange;
    try {
      const query = readQuery(request.query);
      checkSignature(request, query, deps);
      const id = imageIdOf(request.path, PREFIX);
      const wanted: ImageRequest = {
        id,
        partial: query.partial,
        variant: query.variant,
        accept: request.header('accept'),
      };
      const found: Found = await serveImage(wanted, deps.serve, exchange.signal);
      const kind = {
        immutable: isImmutable(found.entry, query),
        varyAccept: query.variant?.format === 'auto',
      };
      await answerFound(exchange, found, kind, deps);
    } catch (error) {
      sendProblem(exchange, error, deps, deps.access.corsHeaders(request.header('origin')));
    }
  };

  return (res, req) => {
    deps.counters.requests += 1;
    if (!isDebug && !deps.signedOnly) {
      const hot = findHot(req, readQuery, deps);
      if (hot !== undefined) {
        answerHot(res, req, hot, readQuery(req.getQuery() ?? ''));
        return;
      }
    }
    void answerCold(res, req);
  };
}

/** Undefined for everything that is not a plain hit: mistakes included, which the exchange then reports. */
function findHot(
  req: HttpRequest,
  readQuery: (query: string) => ImageQuery,
  deps: GetImageDeps,
): Hot | undefined {
  try {
    const query = readQuery(req.getQuery() ?? '');
    if (query.signed) return undefined;
    const accept = query.variant?.format === 'auto' ? req.getHeader('accept') : '';
    const id = imageIdOf(req.getUrl(), PREFIX);
    return serveHot({ id, partial: query.partial, variant: query.variant, accept }, deps.serve.cache);
  } catch {
    return undefined;
  }
}

/** AppError signature_invalid, unless the address is signed or need not be. Before any work is done for it. */
function checkSignature(request: Request, query: ImageQuery, deps: GetImageDeps): void {
  if (!query.signed && !deps.signedOnly) return;
  if (!isSigned(request.path, request.query, deps.signingKeys, Date.now())) {
    throw new AppError('signature_invalid');
  }
}

function sendHot(res: HttpResponse, body: Uint8Array): void {
  res.onAborted(() => forgetTransfer(res));
  endWithBytes(res, body);
}
