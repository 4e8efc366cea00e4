/**
 * Answers a hit in memory within the handler's own cork: no promise, no closure, no copy of the request.
 * Every line here runs for every hit; what a hit does not need stays out (bench: hit).
 */
import type { HttpRequest, HttpResponse } from 'uWebSockets.js';
import type { Hot } from '../cache/lookup.ts';
import { AppError } from '../errors.ts';
import type { Access } from './access.ts';
import { unsatisfiedRange, type FoundKind } from './answer-found.ts';
import { decide, FULL, NOT_MODIFIED, type Decision } from './conditional.ts';
import { openExchange } from './exchange.ts';
import { hotHead, hotHeads } from './hot-head.ts';
import { sendProblem } from './problem.ts';
import type { RouteContext } from './routes.ts';
import { FIRST_HEADER, type HeadSettings } from './representation-head.ts';
import { answerInNextTurn, endHead, endWithBytes, isToWait } from './send-body.ts';
import { endTransfer } from './transfers.ts';

export interface AnswerHotDeps {
  readonly head: HeadSettings;
  readonly context: RouteContext;
}

/**
 * Each header read costs: what another one makes void is not read (RFC 9110 13.2.2, 13.1.5, 14.2), and
 * nothing is built where a client asks for the whole, or has just what is here.
 */
function decideHot(req: HttpRequest, hot: Hot, etag: string, isHead: boolean): Decision {
  const ifNoneMatch = req.getHeader('if-none-match');
  if (ifNoneMatch !== '' && ifNoneMatch === etag) return NOT_MODIFIED;
  const range = isHead ? '' : req.getHeader('range');
  const ifModifiedSince = ifNoneMatch === '' ? req.getHeader('if-modified-since') : '';
  if (ifNoneMatch === '' && range === '' && ifModifiedSince === '') return FULL;
  const ifRange = range === '' ? '' : req.getHeader('if-range');
  const { storedAtMs, bytes } = hot.entry;
  return decide(
    { ifNoneMatch, ifModifiedSince, range, ifRange },
    { etag, lastModifiedMs: storedAtMs, bytes },
  );
}

export function answerHot(
  res: HttpResponse,
  req: HttpRequest,
  hot: Hot,
  kind: FoundKind,
  isHead: boolean,
  deps: AnswerHotDeps,
): void {
  const { entry, body } = hot;
  const heads = hotHeads(hot);
  const decision = decideHot(req, hot, heads.etag, isHead);
  if (decision.kind === 'unsatisfiable') {
    refuseRange(res, req, entry.bytes, deps);
    return;
  }
  const bodiless = decision.kind === 'not-modified';
  const block = hotHead(hot, heads, kind, bodiless, deps.head);
  const origin = deps.head.allowOrigin === '' ? req.getHeader('origin') : undefined;
  if (bodiless) {
    deps.context.counters.notModified += 1;
    if (isToWait()) answerLater(res, block, origin, deps);
    else answerNotModified(res, block, origin, deps);
    return;
  }
  if (decision.kind === 'partial') res.writeStatus('206 Partial Content');
  res.writeHeader(FIRST_HEADER, block);
  if (origin !== undefined) writeOrigin(res, origin, deps.context.access);
  if (decision.kind === 'partial') {
    const { from, to } = decision;
    res.writeHeader('Content-Range', `bytes ${from}-${to}/${entry.bytes}`);
    endHot(res, isHead, body.subarray(from, to + 1));
  } else {
    endHot(res, isHead, body);
  }
}

/** `origin` undefined: any may read, as the block says. */
function answerNotModified(
  res: HttpResponse,
  block: ArrayBuffer,
  origin: string | undefined,
  { context }: AnswerHotDeps,
): void {
  res.writeStatus('304 Not Modified');
  res.writeHeader(FIRST_HEADER, block);
  if (origin !== undefined) writeOrigin(res, origin, context.access);
  res.endWithoutBody();
}

/** A function of its own: the closure's context would be made for every hit. */
function answerLater(
  res: HttpResponse,
  block: ArrayBuffer,
  origin: string | undefined,
  deps: AnswerHotDeps,
): void {
  answerInNextTurn(res, () => answerNotModified(res, block, origin, deps));
}

/** Vary is in the block already. */
function writeOrigin(res: HttpResponse, origin: string, access: Access): void {
  for (const [name, value] of access.corsHeaders(origin)) {
    if (name !== 'Vary') res.writeHeader(name, value);
  }
}

function refuseRange(res: HttpResponse, req: HttpRequest, bytes: number, deps: AnswerHotDeps): void {
  const { context } = deps;
  const exchange = openExchange(res, req, context);
  const cors = context.access.corsHeaders(exchange.request.header('origin'));
  const error = new AppError('range_not_satisfiable');
  sendProblem(exchange, error, context, [...cors, ...unsatisfiedRange(bytes)]);
}

function endHot(res: HttpResponse, isHead: boolean, body: Uint8Array): void {
  if (isHead) {
    endHead(res, body.byteLength);
    return;
  }
  if (!endWithBytes(res, body)) endWhenLeft(res);
}

/** A function of its own: the closure's context would be made for every hit. */
function endWhenLeft(res: HttpResponse): void {
  res.onAborted(() => endTransfer(res));
}
