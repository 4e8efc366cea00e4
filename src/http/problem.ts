/** AppError to `application/problem+json` (RFC 9457). The one place where an error becomes an answer. */
import { errorRow, toAppError, type AppError } from '../errors.ts';
import type { Attention } from '../observe/attention.ts';
import type { Log } from '../observe/log.ts';
import type { HttpCounters } from './http-counters.ts';
import type { Answer, Exchange, Headers } from './exchange.ts';
import { RateLimited } from './rate-limited.ts';

export function problemAnswer(error: AppError, extra: Headers = []): Answer {
  const { status, title, retryAfterS } = errorRow(error.code);
  const headers: (readonly [string, string])[] = [
    ['Content-Type', 'application/problem+json'],
    ['X-Content-Type-Options', 'nosniff'],
    // An error is never cached: the next attempt may succeed.
    ['Cache-Control', 'no-store'],
  ];
  if (error instanceof RateLimited) headers.push(...error.headers);
  else if (retryAfterS !== undefined) headers.push(['Retry-After', String(retryAfterS)]);
  if (status === 401) headers.push(['WWW-Authenticate', 'Bearer realm="afterimage"']);
  const type = `urn:afterimage:error:${error.code}`;
  const body = JSON.stringify({ type, title, status, code: error.code, detail: error.detail });
  return { status, headers: [...headers, ...extra], body };
}

export interface ProblemContext {
  readonly log: Log;
  readonly counters: HttpCounters;
  readonly attention?: Attention;
}

/** Answers with the problem, and logs what the operator should see: never a caller's mistake. */
export function sendProblem(
  exchange: Exchange,
  thrown: unknown,
  context: ProblemContext,
  extra: Headers = [],
): void {
  if (exchange.isOver()) return;
  const { counters, log } = context;
  const error = toAppError(thrown);
  const { status } = errorRow(error.code);
  context.attention?.failed(error.code);
  counters.problems.set(error.code, (counters.problems.get(error.code) ?? 0) + 1);
  if (status >= 500) {
    const { path } = exchange.request;
    const level = error.code === 'internal' ? 'error' : 'warn';
    log[level]({ ...exchange.logFields, path, code: error.code, err: error.cause ?? error }, error.message);
  }
  exchange.send(problemAnswer(error, extra));
}
