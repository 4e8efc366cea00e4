/**
 * The ceiling: a uWebSockets.js handler that finds an ArrayBuffer in a Map and sends it with five
 * headers. It compares one ETag; no ranges, lists, counters, budgets. Run: `node bare-uws.js <port> <folder>`
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, type HttpResponse } from 'uWebSockets.js';
import { loadNative } from '../../src/http/native.ts';

const ETAG = '"0123456789abcdef0123456789abcdef"';
const AT_ONCE_BYTES = 64 * 1024;
const [port = '0', folder = '.'] = process.argv.slice(2);
const bodies = new Map<string, ArrayBuffer>();
for (const name of readdirSync(folder)) {
  bodies.set(`/images/${name}`, new Uint8Array(readFileSync(join(folder, name))).buffer);
}

function send(res: HttpResponse, body: ArrayBuffer): void {
  if (body.byteLength <= AT_ONCE_BYTES) {
    res.end(body);
    return;
  }
  const [done] = res.tryEnd(body, body.byteLength);
  if (done) return;
  res.onAborted(() => undefined);
  res.onWritable((offset) => res.tryEnd(body.slice(offset), body.byteLength)[0]);
}

await loadNative();
App()
  .get('/images/*', (res, req) => {
    const body = bodies.get(req.getUrl());
    if (body === undefined) {
      res.writeStatus('404 Not Found').end();
      return;
    }
    const unchanged = req.getHeader('if-none-match') === ETAG;
    if (unchanged) res.writeStatus('304 Not Modified');
    res.writeHeader('ETag', ETAG);
    res.writeHeader('Last-Modified', 'Fri, 20 Nov 2026 12:00:00 GMT');
    res.writeHeader('Cache-Control', 'public, max-age=3600');
    if (unchanged) {
      res.endWithoutBody();
      return;
    }
    res.writeHeader('Content-Type', 'image/png');
    res.writeHeader('Accept-Ranges', 'bytes');
    send(res, body);
  })
  .listen('127.0.0.1', Number(port), (socket) => {
    if (socket === false) throw new Error(`port ${port} is taken`);
    process.stdout.write('ready\n');
  });
