/**
 * ipx over a folder, on Node's own HTTP server as its documents show, with an hour's max-age. It renders
 * each request anew and keeps nothing: caching is left to whatever stands before it.
 * Run: `node ipx.js <port> <folder>`
 */
import { createServer } from 'node:http';
import { createIPX, createIPXNodeServer, ipxFSStorage } from 'ipx';

const [port = '0', dir = '.'] = process.argv.slice(2);
const ipx = createIPX({ maxAge: 3600, storage: ipxFSStorage({ dir, maxAge: 3600 }) });
const server = createServer(createIPXNodeServer(ipx));
server.keepAliveTimeout = 300_000;
server.listen(Number(port), '127.0.0.1', 4096, () => process.stdout.write('ready\n'));
