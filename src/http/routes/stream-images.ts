/** POST /images/{id}/stream: a producer's event stream, taken as it comes. */
import type { IngestDeps } from '../../flows/ingest-image.ts';
import { ingestStream } from '../../flows/ingest-stream.ts';
import { checkImageId } from '../../core/image-id.ts';
import type { Access } from '../access.ts';
import type { ClientLimits } from '../client-limits.ts';
import { decodeTail } from '../image-target.ts';
import { readChunks } from '../read-chunks.ts';
import type { Route } from '../routes.ts';

export interface StreamImagesDeps {
  readonly ingest: IngestDeps;
  readonly access: Access;
  readonly imageBytesMax: number;
  readonly limits: ClientLimits;
}

const PREFIX = '/images/';
const SUFFIX = '/stream';
/** Room for what an event holds besides its image. */
const EVENT_ROOM_CHARS = 64 * 1024;

function idOf(path: string): string {
  return checkImageId(decodeTail(path, PREFIX).slice(0, -SUFFIX.length));
}

export function streamImageRoutes(deps: StreamImagesDeps): readonly Route[] {
  return [
    {
      method: 'post',
      pattern: '/images/*',
      suffix: SUFFIX,
      handle: async (exchange) => {
        const { request, signal } = exchange;
        deps.access.checkWrite(request);
        const id = idOf(request.path);
        const query = new URLSearchParams(request.query);
        const ttl = query.get('ttl');
        const upload = {
          id,
          topics: query.getAll('topic'),
          eventCharsMax: Math.ceil(deps.imageBytesMax / 3) * 4 + EVENT_ROOM_CHARS,
          ...(ttl === null ? {} : { ttlS: Number(ttl) }),
        };
        const receipts = await deps.limits.run(request.clientAddress, async (spend) => {
          spend('uploads');
          return ingestStream(upload, readChunks(exchange.body, signal), deps.ingest, signal);
        });
        const images = receipts.map(({ replaced: _, ...receipt }) => receipt);
        exchange.send({
          status: 200,
          headers: [
            ['Content-Type', 'application/json'],
            ['Cache-Control', 'no-store'],
            ...deps.access.corsHeaders(request.header('origin')),
          ],
          body: `${JSON.stringify({ images })}\n`,
        });
      },
    },
  ];
}
