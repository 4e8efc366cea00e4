/** GET /info/{id}: what is known of an image, without its bytes. */
import type { Cache } from '../../cache/lookup.ts';
import { imagePath } from '../../core/image-id.ts';
import { imageKey } from '../../core/keys.ts';
import type { Entry } from '../../core/entry.ts';
import { AppError } from '../../errors.ts';
import type { Access } from '../access.ts';
import type { ClientLimits } from '../client-limits.ts';
import { imageIdOf } from '../image-target.ts';
import type { Route } from '../routes.ts';

const PREFIX = '/info/';

function describe(id: string, entry: Entry, tier: string): Record<string, unknown> {
  const { image } = entry;
  return {
    id,
    version: entry.version,
    mime: entry.mime,
    bytes: entry.bytes,
    width: image?.width,
    height: image?.height,
    frames: image?.frames,
    stored_at: new Date(entry.storedAtMs).toISOString(),
    expires_at: entry.expiresAtMs === 0 ? null : new Date(entry.expiresAtMs).toISOString(),
    topics: entry.topics ?? [],
    meta: entry.meta ?? {},
    thumbhash: image?.thumbhash,
    thumbnail:
      image === undefined || image.thumbnail === '' ? undefined : `data:image/webp;base64,${image.thumbnail}`,
    tier,
    url: `${imagePath(id)}?v=${entry.version}`,
  };
}

export interface InfoDeps {
  readonly cache: Cache;
  readonly access: Access;
  readonly limits: ClientLimits;
}

export function infoRoutes(deps: InfoDeps): readonly Route[] {
  return [
    {
      method: 'get',
      pattern: '/info/*',
      handle: async (exchange) => {
        const { request, signal } = exchange;
        const id = imageIdOf(request.path, PREFIX);
        const found = await deps.limits.run(request.clientAddress, async (spend) =>
          deps.cache.find(imageKey(id), signal, () => spend('misses')),
        );
        if (found === undefined) throw new AppError('image_not_found');
        exchange.send({
          status: 200,
          headers: [
            ['Content-Type', 'application/json'],
            ['Cache-Control', 'no-cache'],
            ...deps.access.corsHeaders(request.header('origin')),
          ],
          body: `${JSON.stringify(describe(id, found.entry, found.steps.at(-1)?.tier ?? ''))}\n`,
        });
      },
    },
  ];
}
