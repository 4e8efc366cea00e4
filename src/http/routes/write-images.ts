/** PUT and DELETE /images/{id}, POST /images: from a body to the ingest flow, and its receipt back. */
import { randomUUID } from 'node:crypto';
import {
  deleteImage,
  ingestImage,
  type IngestDeps,
  type Receipt,
  type Upload,
} from '../../flows/ingest-image.ts';
import { imagePath } from '../../core/image-id.ts';
import { AppError } from '../../errors.ts';
import type { BodyForm } from '../../pool/job.ts';
import type { Access } from '../access.ts';
import type { ClientLimits, Spend } from '../client-limits.ts';
import type { Exchange } from '../exchange.ts';
import { imageIdOf } from '../image-target.ts';
import { readBody } from '../read-body.ts';
import type { Route } from '../routes.ts';
import type { UploadBudget } from '../upload-budget.ts';

export interface WriteImagesDeps {
  readonly ingest: IngestDeps;
  readonly access: Access;
  readonly budget: UploadBudget;
  readonly limits: ClientLimits;
  readonly imageBytesMax: number;
}

const PREFIX = '/images/';
/** Room for what a JSON envelope holds besides the image. */
const ENVELOPE_BYTES_MAX = 64 * 1024;

/**
 * How the image lies in the body. `application/x-www-form-urlencoded` is what curl --data-binary says
 * of anything: the bytes decide, as they do for image/*.
 */
function formOf(contentType: string): BodyForm {
  const [type = ''] = contentType.toLowerCase().split(';');
  const mime = type.trim();
  if (mime === 'application/json') return 'json';
  if (mime === 'text/plain') return 'data-url';
  const isRaw =
    mime === '' ||
    mime === 'application/octet-stream' ||
    mime === 'application/x-www-form-urlencoded' ||
    mime.startsWith('image/');
  if (!isRaw) throw new AppError('content_type_unsupported');
  return 'raw';
}

function bodyLimitBytes(form: BodyForm, imageBytesMax: number): number {
  return form === 'raw' ? imageBytesMax : Math.ceil(imageBytesMax / 3) * 4 + ENVELOPE_BYTES_MAX;
}

function numberOf(name: string, text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value))
    throw new AppError('query_invalid', `${name} is a number.`);
  return value;
}

function uploadOf(id: string, form: BodyForm, body: ArrayBuffer, query: URLSearchParams): Upload {
  const ttl = query.get('ttl');
  const event = query.get('event');
  const partial = query.get('partial');
  return {
    id,
    body,
    form,
    topics: query.getAll('topic'),
    ...(ttl === null ? {} : { ttlS: numberOf('ttl', ttl) }),
    ...(event === null ? {} : { eventName: event }),
    ...(partial === null ? {} : { partialIndex: numberOf('partial', partial) }),
  };
}

async function take(exchange: Exchange, id: string, deps: WriteImagesDeps): Promise<Receipt> {
  const { request } = exchange;
  deps.access.checkWrite(request);
  return deps.limits.run(request.clientAddress, async (spend) => takeBody(exchange, id, spend, deps));
}

async function takeBody(
  exchange: Exchange,
  id: string,
  spend: Spend,
  deps: WriteImagesDeps,
): Promise<Receipt> {
  const { request, signal } = exchange;
  spend('uploads');
  const form = formOf(request.header('content-type'));
  const { body, release } = await readBody(exchange.body, {
    contentLength: request.header('content-length'),
    limitBytes: bodyLimitBytes(form, deps.imageBytesMax),
    budget: deps.budget,
    signal,
  });
  try {
    if (body.byteLength === 0) throw new AppError('body_empty');
    const upload = uploadOf(id, form, body, new URLSearchParams(request.query));
    return await ingestImage(upload, deps.ingest, signal);
  } finally {
    release();
  }
}

function sendReceipt(exchange: Exchange, receipt: Receipt, deps: WriteImagesDeps): void {
  const { replaced, ...body } = receipt;
  exchange.send({
    status: replaced ? 200 : 201,
    headers: [
      ['Content-Type', 'application/json'],
      ['Cache-Control', 'no-store'],
      ['ETag', `"${receipt.version}"`],
      ['Location', imagePath(receipt.id)],
      ['Server-Timing', `ingest;dur=${(performance.now() - exchange.startedAtMs).toFixed(1)}`],
      ...deps.access.corsHeaders(exchange.request.header('origin')),
    ],
    body: `${JSON.stringify(body)}\n`,
  });
}

export function writeImageRoutes(deps: WriteImagesDeps): readonly Route[] {
  return [
    {
      method: 'put',
      pattern: '/images/*',
      handle: async (exchange) => {
        const receipt = await take(exchange, imageIdOf(exchange.request.path, PREFIX), deps);
        sendReceipt(exchange, receipt, deps);
      },
    },
    {
      method: 'post',
      pattern: '/images',
      handle: async (exchange) => sendReceipt(exchange, await take(exchange, randomUUID(), deps), deps),
    },
    {
      method: 'del',
      pattern: '/images/*',
      handle: async (exchange) => {
        deps.access.checkWrite(exchange.request);
        const id = imageIdOf(exchange.request.path, PREFIX);
        if (!(await deleteImage(id, deps.ingest))) throw new AppError('image_not_found');
        const cors = deps.access.corsHeaders(exchange.request.header('origin'));
        exchange.send({ status: 204, headers: [['Cache-Control', 'no-store'], ...cors] });
      },
    },
  ];
}
