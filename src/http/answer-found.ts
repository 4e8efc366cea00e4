/**
 * Answers an exchange with something that the cache found: conditions, range, head, then the body,
 * whole or in pieces. Shared by every route that serves stored bytes.
 */
import type { Found } from '../cache/lookup.ts';
import { isWhole, type BodyStream } from '../core/entry.ts';
import { AppError } from '../errors.ts';
import type { Access } from './access.ts';
import { decide, type Decision } from './conditional.ts';
import type { Exchange, Headers } from './exchange.ts';
import { problemAnswer } from './problem.ts';
import { cacheStatus, etagOf, renderHead, type HeadSettings } from './representation-head.ts';

export interface AnswerDeps {
  readonly access: Access;
  readonly head: HeadSettings;
}

export interface FoundKind {
  readonly immutable: boolean;
  readonly varyAccept: boolean;
}

function decideFor(exchange: Exchange, found: Found): Decision {
  const { request } = exchange;
  const { entry } = found;
  return decide(
    {
      ifNoneMatch: request.header('if-none-match'),
      ifModifiedSince: request.header('if-modified-since'),
      range: request.method === 'HEAD' ? '' : request.header('range'),
      ifRange: request.header('if-range'),
    },
    { etag: etagOf(entry), lastModifiedMs: entry.storedAtMs, bytes: entry.bytes },
  );
}

function timing(exchange: Exchange, found: Found): string {
  const tier = found.steps.at(-1)?.tier ?? 'memory';
  return `cache;desc=${tier};dur=${(performance.now() - exchange.startedAtMs).toFixed(1)}`;
}

/** Vary is in the block already. */
function originHeaders(exchange: Exchange, deps: AnswerDeps): Headers {
  if (deps.head.allowOrigin === '*') return [];
  return deps.access.corsHeaders(exchange.request.header('origin')).filter(([name]) => name !== 'Vary');
}

export async function answerFound(
  exchange: Exchange,
  found: Found,
  kind: FoundKind,
  deps: AnswerDeps,
): Promise<void> {
  const { entry, body } = found;
  const decision = decideFor(exchange, found);
  const bodiless = decision.kind === 'not-modified';
  const status = cacheStatus(found.steps);
  const head = renderHead(
    entry,
    { ...kind, bodiless },
    status,
    timing(exchange, found),
    deps.head,
    Date.now(),
  );
  const headers = originHeaders(exchange, deps);
  if (decision.kind === 'not-modified') return exchange.send({ status: 304, head, headers });
  if (decision.kind === 'unsatisfiable') {
    const problem = problemAnswer(new AppError('range_not_satisfiable'), unsatisfiedRange(entry.bytes));
    return exchange.send({ ...problem, headers: [...problem.headers, ...headers] });
  }
  const [from, to] = decision.kind === 'partial' ? [decision.from, decision.to] : [0, entry.bytes - 1];
  const answer =
    decision.kind === 'partial'
      ? {
          status: 206,
          head,
          headers: [...headers, ['Content-Range', `bytes ${from}-${to}/${entry.bytes}`] as const],
        }
      : { status: 200, head, headers };
  if (isWhole(body)) return exchange.send({ ...answer, body: body.subarray(from, to + 1) });
  const pieces = exchange.request.method === 'HEAD' ? none() : await started(body, from, to, exchange.signal);
  await exchange.sendPieces(answer, pieces, to - from + 1);
}

/** RFC 9110 14.4: what could have been asked for. */
export function unsatisfiedRange(bytes: number): Headers {
  return [['Content-Range', `bytes */${bytes}`]];
}

async function* none(): AsyncGenerator<Uint8Array> {}

/** Reads the first piece before any header is sent: a file that vanished is still an error, not half an answer. */
async function started(
  body: BodyStream,
  from: number,
  to: number,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const iterator = body.read(from, to, signal)[Symbol.asyncIterator]();
  const first = await iterator.next();
  return {
    [Symbol.asyncIterator]: () => {
      let pending: IteratorResult<Uint8Array> | undefined = first;
      return {
        next: async () => {
          const result = pending ?? (await iterator.next());
          pending = undefined;
          return result;
        },
        return: async () => (await iterator.return?.()) ?? { done: true, value: undefined },
      };
    },
  };
}
