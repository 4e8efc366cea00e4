/** GET /events: a stream of server-sent events. */
import type { TemplatedApp } from 'uWebSockets.js';
import { followEvents, type FollowDeps } from '../../flows/follow-events.ts';
import { readFollowWish } from '../event-query.ts';
import { toHandler, type RouteContext } from '../routes.ts';
import { openSseSink } from '../sse-stream.ts';

export interface EventStreamDeps extends FollowDeps {
  readonly context: RouteContext;
  /** From 0 up to 1; spreads reconnects. */
  readonly random: () => number;
}

const RETRY_MIN_MS = 1000;
const RETRY_SPREAD_MS = 2000;

export function registerEvents(app: TemplatedApp, deps: EventStreamDeps): void {
  const { context } = deps;
  const handle = toHandler((exchange) => {
    const { request } = exchange;
    const cors = context.access.corsHeaders(request.header('origin'));
    const retryMs = RETRY_MIN_MS + Math.round(deps.random() * RETRY_SPREAD_MS);
    const wish = readFollowWish(request, 'sse');
    followEvents(wish, deps, (subscriber) => openSseSink(exchange.hijack(), subscriber, { cors, retryMs }));
  }, context);
  app.get('/events', handle);
}
