/** GET, PUT and DELETE /cache/{key}, DELETE /cache?pattern=…: the cache for anything over HTTP. */
import { clearValues, deleteValue, getValue, putValue, type ValuesDeps } from '../../flows/cache-values.ts';
import { AppError } from '../../errors.ts';
import type { Access } from '../access.ts';
import { answerFound } from '../answer-found.ts';
import type { ReadWriteLimits, Spend } from '../client-limits.ts';
import type { Answer, Exchange } from '../exchange.ts';
import { readBody } from '../read-body.ts';
import type { HeadSettings } from '../representation-head.ts';
import type { Route } from '../routes.ts';
import type { UploadBudget } from '../upload-budget.ts';

export interface ValueRoutesDeps {
  readonly values: ValuesDeps;
  readonly access: Access;
  readonly budget: UploadBudget;
  readonly limits: ReadWriteLimits;
  readonly valueBytesMax: number;
  readonly head: HeadSettings;
}

const PREFIX = '/cache/';

function keyOf(exchange: Exchange): string {
  try {
    return decodeURIComponent(exchange.request.path.slice(PREFIX.length));
  } catch {
    throw new AppError('key_invalid', 'The address has a broken percent escape.');
  }
}

function ttlOf(exchange: Exchange): number | undefined {
  const text = new URLSearchParams(exchange.request.query).get('ttl');
  if (text === null) return undefined;
  return /^\d{1,9}(\.\d{1,6})?$/.test(text) ? Number(text) : Number.NaN;
}

function jsonAnswer(exchange: Exchange, access: Access, status: number, body: unknown): Answer {
  return {
    status,
    headers: [
      ['Content-Type', 'application/json'],
      ['Cache-Control', 'no-store'],
      ...access.corsHeaders(exchange.request.header('origin')),
    ],
    body: `${JSON.stringify(body)}\n`,
  };
}

async function store(exchange: Exchange, spend: Spend, deps: ValueRoutesDeps): Promise<void> {
  const { request, body: source, signal } = exchange;
  spend('uploads');
  const { body, release } = await readBody(source, {
    contentLength: request.header('content-length'),
    limitBytes: deps.valueBytesMax,
    budget: deps.budget,
    signal,
  });
  try {
    const upload = {
      key: keyOf(exchange),
      body: new Uint8Array(body),
      mime: request.header('content-type'),
      ttlS: ttlOf(exchange),
    };
    const { entry, replaced } = await putValue(upload, deps.values, signal);
    const expires = entry.expiresAtMs === 0 ? null : new Date(entry.expiresAtMs).toISOString();
    const receipt = { key: upload.key, version: entry.version, bytes: entry.bytes, expires_at: expires };
    exchange.send(jsonAnswer(exchange, deps.access, replaced ? 200 : 201, receipt));
  } finally {
    release();
  }
}

export function valueRoutes(deps: ValueRoutesDeps): readonly Route[] {
  // A value may be removed any moment: nobody else may keep it without asking.
  const answer = { access: deps.access, head: { ...deps.head, maxAgeS: 0 } };
  return [
    {
      method: 'get',
      pattern: '/cache/*',
      handle: async (exchange) => {
        const { request, signal } = exchange;
        await deps.limits.reads.run(request.clientAddress, async (spend) => {
          const found = await getValue(keyOf(exchange), deps.values, signal, () => spend('misses'));
          await answerFound(exchange, found, { immutable: false, varyAccept: false }, answer);
        });
      },
    },
    {
      method: 'put',
      pattern: '/cache/*',
      handle: async (exchange) => {
        const { request } = exchange;
        deps.access.checkWrite(request);
        const work = async (spend: Spend): Promise<void> => store(exchange, spend, deps);
        await deps.limits.writes.run(request.clientAddress, work);
      },
    },
    {
      method: 'del',
      pattern: '/cache/*',
      handle: async (exchange) => {
        deps.access.checkWrite(exchange.request);
        await deleteValue(keyOf(exchange), deps.values, exchange.signal);
        const cors = deps.access.corsHeaders(exchange.request.header('origin'));
        exchange.send({ status: 204, headers: [['Cache-Control', 'no-store'], ...cors] });
      },
    },
    {
      method: 'del',
      pattern: '/cache',
      handle: async (exchange) => {
        deps.access.checkWrite(exchange.request);
        const pattern = new URLSearchParams(exchange.request.query).get('pattern');
        if (pattern === null) throw new AppError('query_invalid', 'Name what to clear: ?pattern=a:*');
        const cleared = await clearValues(pattern, deps.values, exchange.signal);
        exchange.send(jsonAnswer(exchange, deps.access, 200, { cleared }));
      },
    },
  ];
}
