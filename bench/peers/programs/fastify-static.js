/**
 * Fastify with @fastify/static over a folder. The files are known at the start, so each gets a route of its
 * own: `wildcard` would look every request's spelling up in the folder. No log; validators and an hour's
 * max-age, as the product sends. Run: `node fastify-static.js <port> <folder>`
 */
import fastifyStatic from '@fastify/static';
import fastify from 'fastify';

const [port = '0', root = '.'] = process.argv.slice(2);
const app = fastify({ logger: false, keepAliveTimeout: 300_000, exposeHeadRoutes: false });
app.register(fastifyStatic, {
  root,
  prefix: '/images/',
  wildcard: false,
  decorateReply: false,
  index: false,
  maxAge: '1h',
  etag: true,
  lastModified: true,
  acceptRanges: true,
});
await app.listen({ host: '127.0.0.1', port: Number(port), backlog: 4096 });
process.stdout.write('ready\n');
