/** /admin/*: what an operator reads and does. Everything here needs what writing needs. */
import type { Cache } from '../../cache/lookup.ts';
import { deleteImage, type IngestDeps } from '../../flows/ingest-image.ts';
import type { Access } from '../access.ts';
import type { Exchange } from '../exchange.ts';
import type { Route } from '../routes.ts';

export interface AdminDeps {
  readonly access: Access;
  readonly cache: Cache;
  readonly ingest: Omit<IngestDeps, 'pool'>;
  readonly stats: () => unknown;
}

function sendJson(exchange: Exchange, access: Access, body: unknown): void {
  exchange.send({
    status: 200,
    headers: [
      ['Content-Type', 'application/json'],
      ['Cache-Control', 'no-store'],
      ...access.corsHeaders(exchange.request.header('origin')),
    ],
    body: `${JSON.stringify(body)}\n`,
  });
}

export function adminRoutes(deps: AdminDeps): readonly Route[] {
  return [
    {
      method: 'get',
      pattern: '/admin/stats',
      handle: (exchange) => {
        deps.access.checkWrite(exchange.request);
        sendJson(exchange, deps.access, deps.stats());
      },
    },
    {
      method: 'del',
      pattern: '/admin/cache',
      handle: async (exchange) => {
        deps.access.checkWrite(exchange.request);
        const key = new URLSearchParams(exchange.request.query).get('key');
        const cleared =
          key === null
            ? await deps.cache.deleteWhere(() => true, exchange.signal)
            : Number(await deleteImage(key, deps.ingest));
        sendJson(exchange, deps.access, { cleared });
      },
    },
  ];
}
