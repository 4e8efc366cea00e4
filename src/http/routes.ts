/**
 * The form of a route, and the way from the native handler to it: open an exchange, run, answer every
 * error as a problem. Which routes there are is said in server.ts.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { HttpRequest, HttpResponse, TemplatedApp } from 'uWebSockets.js';
import { AppError } from '../errors.ts';
import type { Log } from '../observe/log.ts';
import type { Access } from './access.ts';
import { allowedMethods, takes, type AllowOf, type MethodRoute } from './allowed-methods.ts';
import { openExchange, type Exchange, type ExchangeContext, type Headers, type Request } from './exchange.ts';
import type { HttpCounters } from './http-counters.ts';
import { problemAnswer, sendProblem } from './problem.ts';

/** HEAD follows from GET; patterns are those of uWebSockets.js: `/*` at the end takes the rest. */
export interface Route extends MethodRoute {
  readonly method: Exclude<MethodRoute['method'], 'stream'>;
  /** Must begin to read a body, if it does, before its first await. What it throws is answered. */
  readonly handle: (exchange: Exchange) => Promise<void> | void;
}

export interface RouteContext extends ExchangeContext {
  readonly access: Access;
  readonly counters: HttpCounters;
  readonly log: Log;
  /** Requests whose handler has not returned yet. */
  readonly running: Set<Exchange>;
}

/**
 * RFC 9112 6.3: where the body ends must not be a matter of opinion, else a proxy before us finds another
 * request in it than we do (CWE-444). The library refuses Content-Length with Transfer-Encoding, but takes
 * the first of two lengths, and any coding for `chunked`.
 */
function hasUncertainLength(request: Request): boolean {
  const coding = request.header('transfer-encoding');
  return (
    request.header('content-length').includes(',') || (coding !== '' && coding.toLowerCase() !== 'chunked')
  );
}

async function refuseFraming(exchange: Exchange): Promise<void> {
  // What follows in the same packet is parsed first: a second request would find this one unanswered, and
  // the library then closes the connection.
  await nextTurn();
  exchange.send({ ...problemAnswer(new AppError('length_uncertain')), endsConnection: true });
}

async function refuse(
  exchange: Exchange,
  thrown: unknown,
  context: RouteContext,
  more: Headers = [],
): Promise<void> {
  if (exchange.isLastOfConnection()) await exchange.body.discard(exchange.signal);
  const cors = context.access.corsHeaders(exchange.request.header('origin'));
  sendProblem(exchange, thrown, context, [...more, ...cors]);
}

export function toHandler(
  handle: Route['handle'],
  context: RouteContext,
): (res: HttpResponse, req: HttpRequest) => void {
  const run = async (exchange: Exchange): Promise<void> => {
    context.running.add(exchange);
    try {
      if (hasUncertainLength(exchange.request)) await refuseFraming(exchange);
      else await handle(exchange);
    } catch (thrown) {
      await refuse(exchange, thrown, context);
    } finally {
      context.running.delete(exchange);
    }
  };
  return (res, req) => {
    context.counters.requests += 1;
    void run(openExchange(res, req, context));
  };
}

async function refuseMethod(exchange: Exchange, allowOf: AllowOf, context: RouteContext): Promise<void> {
  const { method, path } = exchange.request;
  const allow = allowOf(path);
  // The method is right: it is the address of WebSockets, asked by somebody who wants none.
  if (allow.split(', ').includes(method)) {
    await refuse(exchange, new AppError('upgrade_required'), context, [['Upgrade', 'websocket']]);
    return;
  }
  const error = new AppError('method_not_allowed', `This address takes ${allow}.`);
  await refuse(exchange, error, context, [['Allow', allow]]);
}

/** `mounted`: routes that are there already, with handlers of their own. */
export function mount(
  app: TemplatedApp,
  routes: readonly Route[],
  mounted: readonly MethodRoute[],
  context: RouteContext,
): void {
  const allowed = allowedMethods([...mounted, ...routes]);
  for (const [pattern, allowOf] of allowed) {
    const handler = toHandler((exchange) => refuseMethod(exchange, allowOf, context), context);
    app.any(pattern, handler);
  }
  for (const route of routes) {
    const { method, pattern, handle } = route;
    const allowOf = allowed.get(pattern) ?? (() => '');
    const handler = toHandler(
      (exchange) =>
        takes(route, exchange.request.path) ? handle(exchange) : refuseMethod(exchange, allowOf, context),
      context,
    );
    app[method](pattern, handler);
    if (method === 'get') app.head(pattern, handler);
  }
}
