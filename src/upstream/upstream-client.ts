/**
 * Talks to the one upstream application over kept connections: deadlines for the first byte and for each
 * next one, no redirect followed, no other host reachable. node:http and not fetch: three to four times
 * the requests a second (8 KB, loopback), and it leaves encodings as they are.
 */
import {
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Breaker } from '../cache/breaker.ts';
import { createDeadline, type Deadline } from '../core/deadline.ts';
import { AppError } from '../errors.ts';

export interface UpstreamRequest {
  readonly method: string;
  /** Path and query, checked: nothing of it is taken for a host. */
  readonly target: string;
  readonly headers: OutgoingHttpHeaders;
  readonly body: Uint8Array | undefined;
}

export interface UpstreamResponse {
  readonly status: number;
  /** Names in lower case; repeated headers joined, Set-Cookie kept apart. */
  readonly headers: ReadonlyMap<string, string>;
  readonly setCookies: readonly string[];
  /** To be iterated once. Throws AppError origin_failed, origin_timeout, request_aborted. */
  readonly pieces: () => AsyncGenerator<Uint8Array>;
  readonly discard: () => void;
}

export interface UpstreamClient {
  send(request: UpstreamRequest, signal: AbortSignal): Promise<UpstreamResponse>;
  stats(): { readonly calls: number; readonly errors: number; readonly inFlight: number };
  close(): void;
}

export interface UpstreamClientOptions {
  readonly base: URL;
  readonly timeoutMs: number;
}

const CONNECTIONS_MAX = 128;
/** Further requests would wait for a connection, without end or order. */
const IN_FLIGHT_MAX = 1024;

interface Attempt {
  readonly message?: IncomingMessage;
  readonly error?: Error;
  /** On a connection that the other side may have been about to close. */
  readonly wasKept: boolean;
}

type Dispatch = (request: UpstreamRequest, signal: AbortSignal) => Promise<Attempt>;

function createDispatch(base: URL, agent: HttpAgent): Dispatch {
  const send = base.protocol === 'https:' ? httpsRequest : httpRequest;
  const prefix = base.pathname.replace(/\/$/, '');
  const to = {
    agent,
    protocol: base.protocol,
    hostname: base.hostname.replaceAll(/[[\]]/g, ''),
    port: base.port === '' ? undefined : Number(base.port),
  };
  return async ({ method, target, headers, body }, signal) =>
    new Promise((resolve) => {
      const path = `${prefix}${target}`;
      const outgoing = send({ ...to, method, path, headers: { ...headers, host: base.host }, signal });
      outgoing.on('response', (message) => resolve({ message, wasKept: outgoing.reusedSocket }));
      outgoing.on('error', (error) => resolve({ error, wasKept: outgoing.reusedSocket }));
      outgoing.end(body);
    });
}

/** Once more where the connection had been closed just as it was used again, and nothing can happen twice. */
async function begin(
  dispatch: Dispatch,
  request: UpstreamRequest,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  let attempt = await dispatch(request, signal);
  const isWorthIt = attempt.wasKept && isSafe(request.method) && !signal.aborted;
  if (attempt.error !== undefined && isWorthIt) attempt = await dispatch(request, signal);
  if (attempt.message === undefined) throw attempt.error ?? new Error('no answer');
  return attempt.message;
}

async function* readPieces(
  message: IncomingMessage,
  deadline: Deadline,
  failure: (thrown: unknown) => AppError,
): AsyncGenerator<Uint8Array> {
  try {
    deadline.touch();
    // Without an encoding set, a message gives Buffers.
    for await (const piece of message as AsyncIterable<Buffer>) {
      deadline.pause();
      yield piece;
      deadline.touch();
    }
    deadline.release();
  } catch (thrown) {
    throw failure(thrown);
  } finally {
    deadline.abort();
    message.destroy();
  }
}

export function createUpstreamClient(
  options: UpstreamClientOptions,
  breaker: Pick<Breaker, 'enter'>,
): UpstreamClient {
  const { base, timeoutMs } = options;
  const agentOptions = { keepAlive: true, maxSockets: CONNECTIONS_MAX };
  const agent = base.protocol === 'https:' ? new HttpsAgent(agentOptions) : new HttpAgent(agentOptions);
  const dispatch = createDispatch(base, agent);
  const counts = { calls: 0, errors: 0, inFlight: 0 };

  function failure(thrown: unknown, deadline: Deadline, outer: AbortSignal): AppError {
    const isLate = deadline.hasPassed();
    if (outer.aborted && !isLate) return new AppError('request_aborted', undefined, thrown);
    counts.errors += 1;
    return isLate
      ? new AppError('origin_timeout', 'The application did not answer in time.', thrown)
      : new AppError('origin_failed', 'The application cannot be reached, or broke off.', thrown);
  }

  return {
    async send(request, signal) {
      if (counts.inFlight >= IN_FLIGHT_MAX) throw new AppError('overloaded');
      signal.throwIfAborted();
      const pass = breaker.enter();
      if (pass === undefined) {
        throw new AppError('origin_failed', 'The application failed lately and is not asked for now.');
      }
      const deadline = createDeadline(timeoutMs, signal);
      const fail = (thrown: unknown): AppError => failure(thrown, deadline, signal);
      counts.calls += 1;
      counts.inFlight += 1;
      try {
        const message = await begin(dispatch, request, deadline.signal);
        // Any answer is an answer: one broken address must not shut the others.
        pass.settle('ok');
        message.on('error', () => undefined);
        // The time runs on: an answer that nobody reads is let go of by it.
        deadline.touch();
        return {
          status: message.statusCode ?? 502,
          ...readHeaders(message, base.origin),
          pieces: () => readPieces(message, deadline, fail),
          discard: deadline.abort,
        };
      } catch (thrown) {
        const error = fail(thrown);
        pass.settle(error.code === 'request_aborted' ? 'neutral' : 'failed');
        deadline.abort();
        throw error;
      } finally {
        counts.inFlight -= 1;
      }
    },
    stats: () => ({ ...counts }),
    close: () => agent.destroy(),
  };
}

/** May be sent again without harm (RFC 9110 9.2.1). */
export function isSafe(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS';
}

function readHeaders(
  message: IncomingMessage,
  origin: string,
): Pick<UpstreamResponse, 'headers' | 'setCookies'> {
  const headers = new Map<string, string>();
  for (const [name, value] of Object.entries(message.headers)) {
    if (name === 'set-cookie' || value === undefined) continue;
    headers.set(name, Array.isArray(value) ? value.join(', ') : value);
  }
  const location = headers.get('location');
  // The client cannot reach the application by its own address, nor need it know it.
  if (location?.startsWith(`${origin}/`) === true) headers.set('location', location.slice(origin.length));
  return { headers, setCookies: message.headers['set-cookie'] ?? [] };
}
