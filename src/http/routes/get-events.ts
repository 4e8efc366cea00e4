/** GET /events: a stream of server-sent events; POST /events/ticket: the right to open one. */
import type { TemplatedApp } from 'uWebSockets.js';
import { followEvents, type FollowDeps } from '../../flows/follow-events.ts';
import { readFollowWish } from '../event-query.ts';
import { toHandler, type RouteContext } from '../routes.ts';
import type { SubscribeAccess } from '../subscribe-access.ts';
import { openSseSink } from '../sse-stream.ts';

export interface EventStreamDeps extends FollowDeps {
  readonly context: RouteContext;
  readonly subscribeAccess: SubscribeAccess;
  /** From 0 up to 1; spreads reconnects. */
  readonly random: () => number;
}

const RETRY_MIN_MS = 1000;
const RETRY_SPREAD_MS = 2000;

export function registerEvents(app: TemplatedApp, deps: EventStreamDeps): void {
  const { context } = deps;
  const handle = toHandler(async (exchange) => {
    const { request } = exchange;
    const grant = await deps.subscribeAccess.grantOf(request);
    if (exchange.isOver()) return;
    const cors = context.access.corsHeaders(request.header('origin'));
    const retryMs = RETRY_MIN_MS + Math.round(deps.random() * RETRY_SPREAD_MS);
    const wish = readFollowWish(request, 'sse', grant);
    followEvents(wish, deps, (subscriber) => openSseSink(exchange.hijack(), subscriber, { cors, retryMs }));
  }, context);
  app.get('/events', handle);
  const sendTicket = toHandler(async (exchange) => {
    const ticket = await deps.subscribeAccess.issueTicket(exchange.request);
    const cors = context.access.corsHeaders(exchange.request.header('origin'));
    const headers = [['Content-Type', 'application/json'], ['Cache-Control', 'no-store'], ...cors] as const;
    exchange.send({ status: 201, headers, body: `${JSON.stringify(ticket)}\n` });
  }, context);
  app.post('/events/ticket', sendTicket);
}
