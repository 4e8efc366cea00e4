/** /admin/*: what an operator reads and does. Everything here needs a token of an administrator. */
import { z } from 'zod';
import type { Cache } from '../../cache/lookup.ts';
import { checkImageId } from '../../core/image-id.ts';
import { AppError } from '../../errors.ts';
import { imageKey, partialKey } from '../../core/keys.ts';
import type { Access } from '../access.ts';
import type { Exchange } from '../exchange.ts';
import { readBody } from '../read-body.ts';
import type { Route } from '../routes.ts';
import type { UploadBudget } from '../upload-budget.ts';

export interface AdminDeps {
  readonly access: Access;
  readonly cache: Cache;
  readonly stats: () => unknown;
  readonly locate: (id: string, signal: AbortSignal) => Promise<unknown>;
  readonly warm: (ids: readonly string[]) => unknown;
  /** Told after every clearing; without an id everything was. */
  readonly onCleared: (id?: string) => void;
  readonly budget: UploadBudget;
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

const Ids = z.object({ ids: z.array(z.string()).min(1) });
const IDS_BYTES_MAX = 8 * 1024 * 1024;

/** `{"ids": ["a", …]}`; AppError json_invalid, image_id_invalid. */
async function readIds(exchange: Exchange, budget: UploadBudget): Promise<readonly string[]> {
  const { request, signal } = exchange;
  const contentLength = request.header('content-length');
  const { body, release } = await readBody(exchange.body, {
    contentLength,
    limitBytes: IDS_BYTES_MAX,
    budget,
    signal,
  });
  try {
    return Ids.parse(JSON.parse(Buffer.from(body).toString())).ids.map(checkImageId);
  } catch (error) {
    throw error instanceof AppError ? error : new AppError('json_invalid', 'Send {"ids": ["image id", …]}.');
  } finally {
    release();
  }
}

/** Out of every tier. Never from the origin: an operator who clears a cache keeps the originals. */
async function clearImage(id: string, cache: Cache, signal: AbortSignal): Promise<boolean> {
  const wasKept = await cache.clear(imageKey(checkImageId(id)), signal);
  return (await cache.clear(partialKey(id), signal)) || wasKept;
}

export function adminRoutes(deps: AdminDeps): readonly Route[] {
  return [
    {
      method: 'get',
      pattern: '/admin/stats',
      handle: async (exchange) => {
        deps.access.checkAdmin(exchange.request);
        sendJson(exchange, deps.access, await deps.stats());
      },
    },
    {
      method: 'get',
      pattern: '/admin/image',
      handle: async (exchange) => {
        deps.access.checkAdmin(exchange.request);
        const id = new URLSearchParams(exchange.request.query).get('id') ?? '';
        sendJson(exchange, deps.access, await deps.locate(id, exchange.signal));
      },
    },
    {
      method: 'del',
      pattern: '/admin/cache',
      handle: async (exchange) => {
        deps.access.checkAdmin(exchange.request);
        const key = new URLSearchParams(exchange.request.query).get('key');
        const cleared =
          key === null
            ? await deps.cache.deleteWhere(() => true, exchange.signal)
            : Number(await clearImage(key, deps.cache, exchange.signal));
        deps.onCleared(key ?? undefined);
        sendJson(exchange, deps.access, { cleared });
      },
    },
    {
      method: 'post',
      pattern: '/admin/warm',
      handle: async (exchange) => {
        deps.access.checkAdmin(exchange.request);
        const ids = await readIds(exchange, deps.budget);
        sendJson(exchange, deps.access, deps.warm(ids));
      },
    },
  ];
}
