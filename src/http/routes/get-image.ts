/**
 * GET and HEAD /images/{id}. A hit in memory is answered here and now, without a promise, a closure or
 * an AbortSignal; everything else becomes an exchange and goes through the flow.
 */
import type { HttpRequest, HttpResponse } from 'uWebSockets.js';
import type { Found, Hot } from '../../cache/lookup.ts';
import { serveHot, serveImage, type ImageRequest, type ServeDeps } from '../../flows/serve-image.ts';
import type { Entry } from '../../core/entry.ts';
import { isSigned } from '../../core/signature.ts';
import { AppError } from '../../errors.ts';
import type { Log } from '../../observe/log.ts';
import type { Access } from '../access.ts';
import { answerFound, type FoundKind } from '../answer-found.ts';
import { answerHot } from '../answer-hot.ts';
import { openExchange, type Request } from '../exchange.ts';
import { createImageQueryReader, imageIdOf, type ImageQuery } from '../image-target.ts';
import { sendProblem } from '../problem.ts';
import type { HeadSettings } from '../representation-head.ts';
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

/** The URL names the bytes that are served: they can be kept for ever. */
function isImmutable(entry: Entry, query: ImageQuery): boolean {
  return query.version !== '' && query.version === (entry.parentVersion ?? entry.version);
}

function kindOf(entry: Entry, query: ImageQuery): FoundKind {
  return { immutable: isImmutable(entry, query), varyAccept: query.variant?.format === 'auto' };
}

export function createGetImage(deps: GetImageDeps): (res: HttpResponse, req: HttpRequest) => void {
  const readQuery = createImageQueryReader(deps.sizes);
  const isDebug = deps.log.isLevelEnabled('debug');

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
      await answerFound(exchange, found, kindOf(found.entry, query), deps);
    } catch (error) {
      sendProblem(exchange, error, deps, deps.access.corsHeaders(request.header('origin')));
    }
  };

  return (res, req) => {
    deps.counters.requests += 1;
    if (!isDebug && !deps.signedOnly) {
      const hot = findHot(req, readQuery, deps);
      if (hot !== undefined) {
        deps.counters.memoryHits += 1;
        answerHot(res, req, hot, kindOf(hot.entry, readQuery(req.getQuery() ?? '')), deps);
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
