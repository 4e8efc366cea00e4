/**
 * GET and HEAD /images/{id}. A hit in memory is answered here and now, without a promise, a closure or
 * an AbortSignal; everything else becomes an exchange and goes through the flow.
 */
import type { HttpRequest, HttpResponse } from 'uWebSockets.js';
import type { Hot } from '../../cache/lookup.ts';
import { serveHot, serveImage, type ServeDeps } from '../../flows/serve-image.ts';
import type { Entry } from '../../core/entry.ts';
import { isSigned } from '../../core/signature.ts';
import { AppError } from '../../errors.ts';
import { answerFound, type FoundKind } from '../answer-found.ts';
import { answerHot } from '../answer-hot.ts';
import type { ClientLimits, Spend } from '../client-limits.ts';
import type { Exchange, Request } from '../exchange.ts';
import { createImageQueryReader, decodeTail, imageIdOf, type ImageQuery } from '../image-target.ts';
import { HIT_SAMPLE } from '../../observe/attention.ts';
import type { HeadSettings } from '../representation-head.ts';
import { toHandler, type RouteContext } from '../routes.ts';

export interface GetImageDeps {
  readonly serve: ServeDeps;
  readonly head: HeadSettings;
  readonly sizes: readonly number[];
  /** Keys of signed addresses; the first one signs, all of them are good. */
  readonly signingKeys: readonly string[];
  /** True: only signed addresses are served. */
  readonly signedOnly: boolean;
  readonly limits: ClientLimits;
  readonly context: RouteContext;
}

const PREFIX = '/images/';

/** The URL names the bytes that are served: they can be kept for ever. */
function isImmutable(entry: Entry, query: ImageQuery): boolean {
  return query.version !== '' && query.version === (entry.parentVersion ?? entry.version);
}

/** All there are: a hit chooses one, and makes none. */
const LASTING: FoundKind = { immutable: true, varyAccept: false };
const LASTING_BY_ACCEPT: FoundKind = { immutable: true, varyAccept: true };
const CHANGING: FoundKind = { immutable: false, varyAccept: false };
const CHANGING_BY_ACCEPT: FoundKind = { immutable: false, varyAccept: true };

function kindOf(entry: Entry, query: ImageQuery): FoundKind {
  const varyAccept = query.variant?.format === 'auto';
  if (isImmutable(entry, query)) return varyAccept ? LASTING_BY_ACCEPT : LASTING;
  return varyAccept ? CHANGING_BY_ACCEPT : CHANGING;
}

type Handle = (res: HttpResponse, req: HttpRequest) => void;

export function createGetImage(deps: GetImageDeps): { readonly get: Handle; readonly head: Handle } {
  const readQuery = createImageQueryReader(deps.sizes);
  const { context, head } = deps;
  const { access, counters } = context;
  const isDebug = context.log.isLevelEnabled('debug');

  const answerCold = toHandler(async (exchange) => {
    const { request, signal } = exchange;
    const query = readQuery(request.query);
    checkSignature(request, query, deps);
    const { variant, partial } = query;
    const wanted = {
      id: imageIdOf(request.path, PREFIX),
      partial,
      variant,
      accept: request.header('accept'),
    };
    const serve = async (spend: Spend): Promise<void> => {
      const found = await serveImage(wanted, deps.serve, signal, spend);
      await answerFound(exchange, found, kindOf(found.entry, query), { access, head });
    };
    await deps.limits.run(request.clientAddress, async (spend) =>
      serve(spend).catch(async (error: unknown) => {
        if (!hadNothingToRead(error, exchange)) throw error;
        await serve(spend);
      }),
    );
  }, context);

  function answer(res: HttpResponse, req: HttpRequest, isHead: boolean): void {
    if (!isDebug && !deps.signedOnly && context.stopping !== true && !announcesBody(req)) {
      const query = readHotQuery(req, readQuery);
      const hot = query === undefined ? undefined : findHot(req, query, deps);
      if (query !== undefined && hot !== undefined) {
        counters.requests += 1;
        counters.memoryHits += 1;
        if (counters.memoryHits % HIT_SAMPLE === 0) context.attention?.hit(req.getUrl());
        answerHot(res, req, hot, kindOf(hot.entry, query), isHead, deps);
        return;
      }
    }
    answerCold(res, req);
  }
  return { get: (res, req) => answer(res, req, false), head: (res, req) => answer(res, req, true) };
}

/** No GET has one in earnest: whether its length is certain is for the exchange to see. */
function announcesBody(req: HttpRequest): boolean {
  return req.getHeader('content-length') !== '' || req.getHeader('transfer-encoding') !== '';
}

/** Evicted or replaced between the find and the read: looked up anew it is a miss, or the newer one. */
function hadNothingToRead(error: unknown, exchange: Exchange): boolean {
  return error instanceof AppError && error.code === 'body_vanished' && !exchange.isOver();
}

/** Undefined: signed, or a mistake, which the exchange then reports. */
function readHotQuery(req: HttpRequest, readQuery: (query: string) => ImageQuery): ImageQuery | undefined {
  const text = req.getQuery();
  try {
    const query = readQuery(text ?? '');
    return query.signed ? undefined : query;
  } catch {
    return undefined;
  }
}

/** Undefined: not in memory, or a mistake, which the exchange then reports. */
function findHot(req: HttpRequest, query: ImageQuery, deps: GetImageDeps): Hot | undefined {
  const accept = query.variant?.format === 'auto' ? req.getHeader('accept') : '';
  try {
    // Not checked: nothing is ever kept under an id that is not valid.
    const id = decodeTail(req.getUrl(), PREFIX);
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
