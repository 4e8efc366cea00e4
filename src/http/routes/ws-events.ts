/** GET /ws: the same events over a WebSocket, with topics that come and go by message. */
import type { TemplatedApp, WebSocket } from 'uWebSockets.js';
import type { Grant } from '../../core/grant.ts';
import { AppError, toAppError } from '../../errors.ts';
import type { Hub } from '../../events/hub.ts';
import type { Subscriber } from '../../events/subscriber.ts';
import { followEvents, followLess, followMore } from '../../flows/follow-events.ts';
import type { Request } from '../exchange.ts';
import { readFollowWish } from '../event-query.ts';
import { toHandler } from '../routes.ts';
import { answerFrame, readWsMessage } from '../ws-message.ts';
import { openWsSink, type WsSink } from '../ws-stream.ts';
import type { EventStreamDeps } from './get-events.ts';

export interface WsDeps extends EventStreamDeps {
  /** How long a reader may take nothing before its stream is ended. */
  readonly stallMs: number;
}

interface Session {
  readonly grant: Grant;
  /** Set by `open`, which runs within the upgrade. */
  socket: WebSocket<UserData> | undefined;
  sink: WsSink | undefined;
  subscriber: Subscriber | undefined;
}

interface UserData {
  readonly session: Session;
}

/** 64 topics of the longest kind in one message. */
const MESSAGE_BYTES_MAX = 64 * 1024;
/** Beyond it the library drops in silence; we send only when nothing is buffered, so one frame is the most. */
const BACKPRESSURE_MIN_BYTES = 1024 * 1024;
const IDLE_MIN_S = 120;
/** The longest that the library takes; more ends the process. */
const IDLE_MAX_S = 960;

function idleTimeoutS(stallMs: number): number {
  return Math.min(IDLE_MAX_S, Math.max(IDLE_MIN_S, Math.ceil((2 * stallMs) / 1000)));
}

/** CORS does not reach WebSockets: a page of a site that may not read is refused here. */
function checkOrigin(request: Request, { context }: WsDeps): void {
  const origin = request.header('origin');
  const host = request.header('host');
  if (origin === '' || origin === `http://${host}` || origin === `https://${host}`) return;
  const mayRead = context.access.corsHeaders(origin).some(([name]) => name === 'Access-Control-Allow-Origin');
  if (!mayRead) {
    throw new AppError(
      'origin_forbidden',
      'A page of another origin may follow only if CORS_ORIGINS names it.',
    );
  }
}

function answer(subscriber: Subscriber, text: string, grant: Grant, hub: Hub): void {
  const message = readWsMessage(text);
  if (message.type === 'ping') return subscriber.offer(answerFrame({ type: 'pong' }));
  if (message.type === 'subscribe') {
    followMore(subscriber, { topics: message.topics, since: message.since ?? '', grant }, hub);
  } else followLess(subscriber, message.topics, hub);
  const topics = subscriber.follows.map(({ filter }) => filter);
  subscriber.offer(answerFrame({ type: `${message.type}d`, topics }));
}

function receive(subscriber: Subscriber, text: string, grant: Grant, hub: Hub): void {
  try {
    answer(subscriber, text, grant, hub);
  } catch (thrown) {
    const { code, detail } = toAppError(thrown);
    subscriber.offer(answerFrame({ type: 'error', code, detail }));
  }
}

export function registerWs(app: TemplatedApp, deps: WsDeps): void {
  const { context, hub } = deps;
  app.ws<UserData>('/ws', {
    maxPayloadLength: MESSAGE_BYTES_MAX,
    maxBackpressure: Math.max(BACKPRESSURE_MIN_BYTES, 4 * deps.inlineLimitBytes),
    closeOnBackpressureLimit: false,
    idleTimeout: idleTimeoutS(deps.stallMs),
    sendPingsAutomatically: true,
    upgrade(res, req, socketContext) {
      const upgrade = toHandler(async (exchange) => {
        const { request } = exchange;
        checkOrigin(request, deps);
        const grant = await deps.subscribeAccess.grantOf(request);
        if (exchange.isOver()) return;
        const session: Session = { grant, socket: undefined, sink: undefined, subscriber: undefined };
        session.subscriber = followEvents(readFollowWish(request, 'ws', grant), deps, (subscriber) => {
          const key = request.header('sec-websocket-key');
          const extensions = request.header('sec-websocket-extensions');
          // A subprotocol that we don't speak must not be confirmed.
          exchange.hijack().upgrade<UserData>({ session }, key, '', extensions, socketContext);
          if (session.socket === undefined) throw new AppError('internal');
          session.sink = openWsSink(session.socket, subscriber);
          return session.sink;
        });
      }, context);
      upgrade(res, req);
    },
    open(ws) {
      ws.getUserData().session.socket = ws;
    },
    message(ws, message) {
      const { subscriber, grant } = ws.getUserData().session;
      if (subscriber !== undefined) receive(subscriber, Buffer.from(message).toString(), grant, hub);
    },
    drain: (ws) => ws.getUserData().session.sink?.onDrain(),
    close: (ws) => ws.getUserData().session.sink?.onClose(),
  });
}
