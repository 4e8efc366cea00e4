/**
 * The form of a route, and the way from the native handler to it: open an exchange, run, answer every
 * error as a problem. Which routes there are is said in server.ts.
 */
import type { HttpRequest, HttpResponse, TemplatedApp } from 'uWebSockets.js';
import type { Log } from '../observe/log.ts';
import type { Access } from './access.ts';
import { openExchange, type Exchange } from './exchange.ts';
import type { HttpCounters } from './http-counters.ts';
import { sendProblem } from './problem.ts';

/** HEAD follows from GET. */
export type Method = 'get' | 'put' | 'post' | 'del';

export interface Route {
  readonly method: Method;
  /** As uWebSockets.js matches: `/*` at the end takes the rest. */
  readonly pattern: string;
  /** Must begin to read a body, if it does, before its first await. What it throws is answered. */
  readonly handle: (exchange: Exchange) => Promise<void> | void;
}

export interface RouteContext {
  readonly access: Access;
  readonly counters: HttpCounters;
  readonly log: Log;
  /** Requests whose handler has not returned yet. */
  readonly running: Set<Exchange>;
}

export function toHandler(
  handle: Route['handle'],
  context: RouteContext,
): (res: HttpResponse, req: HttpRequest) => void {
  const run = async (exchange: Exchange): Promise<void> => {
    context.running.add(exchange);
    try {
      await handle(exchange);
    } catch (thrown) {
      const cors = context.access.corsHeaders(exchange.request.header('origin'));
      sendProblem(exchange, thrown, context, cors);
    } finally {
      context.running.delete(exchange);
    }
  };
  return (res, req) => {
    context.counters.requests += 1;
    void run(openExchange(res, req, context.log));
  };
}

export function mount(app: TemplatedApp, routes: readonly Route[], context: RouteContext): void {
  for (const { method, pattern, handle } of routes) {
    const handler = toHandler(handle, context);
    app[method](pattern, handler);
    if (method === 'get') app.head(pattern, handler);
  }
}
