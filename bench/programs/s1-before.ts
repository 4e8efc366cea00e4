/**
 * S1's server before its cache, in Node: every request downloads the whole blob from Azure and sends it, with
 * nothing to cache it by. Run: `node s1-before.js <port> <connection string> <container>`
 */
import { createServer } from 'node:http';
import { BlobServiceClient } from '@azure/storage-blob';

const [port = '0', connectionString = '', name = ''] = process.argv.slice(2);
const container = BlobServiceClient.fromConnectionString(connectionString).getContainerClient(name);

/** One call: `downloadToBuffer` would ask for the length first. */
async function download(id: string): Promise<Buffer> {
  const { readableStreamBody } = await container.getBlobClient(id).download();
  const pieces: Buffer[] = [];
  for await (const piece of readableStreamBody ?? []) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

const server = createServer((request, response) => {
  download((request.url ?? '').slice('/images/'.length)).then(
    (image) => {
      response.writeHead(200, { 'content-type': 'image/png', 'content-length': image.length });
      response.end(image);
    },
    () => response.writeHead(502, { 'content-length': 0 }).end(),
  );
});
server.keepAliveTimeout = 60_000;
server.listen(Number(port), '127.0.0.1', () => process.stdout.write('ready\n'));
