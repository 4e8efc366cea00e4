/**
 * What a miss costs at the least: a bare uWebSockets.js handler that reads the image from where it lies
 * on every request, takes it out of its form and sends it, under the header that the server would send,
 * rendered once. No cache, digest, conditions, deadlines.
 * Run: `node bare-cold.js <port> '<ColdSource as JSON>'`
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BlobServiceClient } from '@azure/storage-blob';
import { Redis } from 'ioredis';
import { App } from 'uWebSockets.js';
import { loadNative } from '../../src/http/native.ts';
import { FIRST_HEADER, renderHead } from '../../src/http/representation-head.ts';

/** The program's second argument. */
export type ColdSource =
  | { readonly kind: 'redis'; readonly redisPort: number; readonly isJson: boolean }
  | { readonly kind: 'files'; readonly dir: string }
  | { readonly kind: 'azure'; readonly connectionString: string; readonly container: string };

type Read = (id: string) => Promise<Uint8Array>;

function fromRedis(port: number, isJson: boolean): Read {
  const redis = new Redis({ host: '127.0.0.1', port });
  return async (id) => {
    const value = await redis.getBuffer(`image:${id}`);
    if (value === null) throw new Error(`there is no image:${id}`);
    if (!isJson) return value;
    // The seed is who wrote it.
    const stored = JSON.parse(value.toString('latin1')) as { readonly base64_data: string };
    return Buffer.from(stored.base64_data, 'base64');
  };
}

function fromAzure(connectionString: string, name: string): Read {
  const container = BlobServiceClient.fromConnectionString(connectionString).getContainerClient(name);
  return async (id) => {
    const { readableStreamBody } = await container.getBlobClient(id).download();
    const pieces: Uint8Array[] = [];
    for await (const piece of readableStreamBody ?? []) pieces.push(Buffer.from(piece));
    return Buffer.concat(pieces);
  };
}

function readerOf(source: ColdSource): Read {
  if (source.kind === 'redis') return fromRedis(source.redisPort, source.isJson);
  if (source.kind === 'azure') return fromAzure(source.connectionString, source.container);
  return async (id) => readFile(join(source.dir, id));
}

/** As long as the server's own: what is compared sends as many bytes. */
const HEAD = renderHead(
  {
    key: 'image:any',
    mime: 'image/png',
    version: '0123456789abcdef'.repeat(4),
    bytes: 0,
    storedAtMs: Date.now(),
    expiresAtMs: 0,
  },
  { immutable: false, varyAccept: false, bodiless: false },
  'redis; hit, memory; fwd=uri-miss; stored',
  'cache;desc=redis;dur=0.1',
  { maxAgeS: 3600, cacheEnabled: true, allowOrigin: '*' },
  Date.now(),
);

const [port = '0', source = '{}'] = process.argv.slice(2);
// The harness is who passes it.
const read = readerOf(JSON.parse(source) as ColdSource);
await loadNative();
App()
  .get('/images/*', (res, req) => {
    let isGone = false;
    res.onAborted(() => {
      isGone = true;
    });
    const send = (body: Uint8Array): void => {
      if (isGone) return;
      res.cork(() => {
        res.writeHeader(FIRST_HEADER, HEAD);
        res.writeHeader('X-Request-Id', 'any-1');
        res.end(body);
      });
    };
    const fail = (): void => {
      if (!isGone) res.cork(() => res.writeStatus('500 Internal Server Error').end());
    };
    read(req.getUrl().slice('/images/'.length)).then(send, fail);
  })
  .listen('127.0.0.1', Number(port), (socket) => {
    if (socket === false) throw new Error(`port ${port} is taken`);
    process.stdout.write('ready\n');
  });
