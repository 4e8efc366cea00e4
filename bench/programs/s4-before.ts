/**
 * S4's server before Afterimage, in Node: every request reads the image's JSON from Redis, parses it,
 * decodes its base64, and sends it with no header to cache by. Run: `node s4-before.js <port> <redis port>`
 */
import { createServer } from 'node:http';
import { Redis } from 'ioredis';

const [port = '0', redisPort = '6379'] = process.argv.slice(2);
const redis = new Redis({ host: '127.0.0.1', port: Number(redisPort) });

async function imageOf(path: string): Promise<Buffer | undefined> {
  const text = await redis.get(`image:${path.slice('/images/'.length)}`);
  if (text === null) return undefined;
  // The seed program is who wrote it.
  const stored = JSON.parse(text) as { readonly base64_data: string };
  return Buffer.from(stored.base64_data, 'base64');
}

const server = createServer((request, response) => {
  void imageOf(request.url ?? '').then(
    (image) => {
      response.writeHead(image === undefined ? 404 : 200, { 'content-type': 'image/png' });
      response.end(image);
    },
    () => response.writeHead(500).end(),
  );
});
server.keepAliveTimeout = 60_000;
server.listen(Number(port), '127.0.0.1', () => process.stdout.write('ready\n'));
