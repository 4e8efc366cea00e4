/**
 * Listens, mounts what it is given, stops. Knows uWebSockets.js and the order of a graceful stop; what
 * the routes do is theirs.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  App,
  SSLApp,
  us_listen_socket_close,
  us_socket_local_port,
  type HttpRequest,
  type HttpResponse,
  type TemplatedApp,
  type us_listen_socket,
  type us_socket,
} from 'uWebSockets.js';
import { AppError } from '../errors.ts';
import type { MethodRoute } from './allowed-methods.ts';
import { mount, toHandler, type Route, type RouteContext } from './routes.ts';
import { transferStats } from './transfers.ts';

export interface ServerParts {
  readonly host: string;
  readonly port: number;
  readonly tls?: { readonly certFile: string; readonly keyFile: string };
  readonly context: RouteContext;
  readonly routes: readonly Route[];
  /** Handlers that need the native objects: the hit path and the event streams. */
  readonly getImage?: {
    readonly get: (res: HttpResponse, req: HttpRequest) => void;
    readonly head: (res: HttpResponse, req: HttpRequest) => void;
  };
  readonly mountStreams?: (app: TemplatedApp) => void;
}

export interface Server {
  readonly port: number;
  /** No new connection until `resume`, which rejects where the port cannot be had again. */
  pause(): void;
  resume(): Promise<void>;
  /** No new connection from now on. */
  stopListening(): void;
  /** Resolves when nothing is being answered any more, or when the grace is over; then cuts what is left. */
  close(graceMs: number): Promise<void>;
}

const IDLE_POLL_MS = 20;

const IMAGE_ROUTES: readonly MethodRoute[] = [{ method: 'get', pattern: '/images/*' }];
const STREAM_ROUTES: readonly MethodRoute[] = [
  { method: 'stream', pattern: '/events' },
  { method: 'post', pattern: '/events/ticket' },
  { method: 'stream', pattern: '/ws' },
];

function mountFallbacks(app: TemplatedApp, context: RouteContext): void {
  const preflight = toHandler((exchange) => {
    const origin = exchange.request.header('origin');
    exchange.send({ status: 204, headers: context.access.preflightHeaders(origin) });
  }, context);
  app.options('/*', preflight);
  const unknown = toHandler(() => {
    throw new AppError('route_not_found');
  }, context);
  app.any('/*', unknown);
}

async function listen(app: TemplatedApp, host: string, port: number): Promise<us_listen_socket> {
  return new Promise((resolve, reject) => {
    app.listen(host, port, (socket) => {
      if (socket === false)
        reject(new Error(`cannot listen on ${host}:${port}: the port is taken or not allowed`));
      else resolve(socket);
    });
  });
}

function createApp(tls: ServerParts['tls']): TemplatedApp {
  if (tls === undefined) return App();
  try {
    return SSLApp({ cert_file_name: tls.certFile, key_file_name: tls.keyFile });
  } catch (error) {
    const files = `${tls.certFile} and ${tls.keyFile}`;
    throw new Error(`TLS_CERT_FILE and TLS_KEY_FILE (${files}) cannot be read or do not belong together`, {
      cause: error,
    });
  }
}

export async function startServer(parts: ServerParts): Promise<Server> {
  const { context } = parts;
  const app = createApp(parts.tls);
  if (parts.getImage !== undefined) {
    app.get('/images/*', parts.getImage.get);
    app.head('/images/*', parts.getImage.head);
  }
  parts.mountStreams?.(app);
  const mounted = [
    ...(parts.getImage === undefined ? [] : IMAGE_ROUTES),
    ...(parts.mountStreams === undefined ? [] : STREAM_ROUTES),
  ];
  mount(app, parts.routes, mounted, context);
  mountFallbacks(app, context);
  let socket: us_listen_socket | undefined = await listen(app, parts.host, parts.port);
  // The listen socket is a socket: the typings keep them apart, the library does not.
  const port = us_socket_local_port(socket as us_socket);

  const pause = (): void => {
    if (socket !== undefined) us_listen_socket_close(socket);
    socket = undefined;
  };
  const stopListening = (): void => {
    pause();
    context.stopping = true;
  };

  return {
    port,
    pause,
    async resume() {
      if (context.stopping !== true) socket ??= await listen(app, parts.host, port);
    },
    stopListening,
    async close(graceMs) {
      stopListening();
      const deadlineMs = performance.now() + graceMs;
      while ((context.running.size > 0 || transferStats().underWay > 0) && performance.now() < deadlineMs) {
        await new Promise((resolve) => setTimeout(resolve, IDLE_POLL_MS));
      }
      // What was answered last of all may be given in a turn of its own.
      await nextTurn();
      app.close();
    },
  };
}
