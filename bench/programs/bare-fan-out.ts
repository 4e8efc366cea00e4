/**
 * The ceiling of a fan-out, and of the client that measures it: every subscriber gets the same prepared
 * chunk in one write, from outside any handler; no history, topics, budgets, slow readers.
 * Run: `node bare-fan-out.js <port>`
 */
import { App, type HttpResponse } from 'uWebSockets.js';
import { loadNative } from '../../src/http/native.ts';

await loadNative();
const subscribers = new Set<HttpResponse>();

function deliver(bytes: number): void {
  const frame = Buffer.from(`id: 1763672400123-0\nevent: image.ready\ndata: ${'A'.repeat(bytes - 55)}^\n\n`);
  for (const res of subscribers) res.cork(() => res.write(frame));
}

App()
  .get('/events', (res) => {
    res.onAborted(() => subscribers.delete(res));
    res.writeHeader('Content-Type', 'text/event-stream');
    res.write(':\n\n');
    // Without a handler a reader that was slow once is cut after 12 s.
    res.onWritable(() => true);
    subscribers.add(res);
  })
  .post('/publish', (res, req) => {
    const bytes = Number(req.getQuery('bytes') ?? '0');
    res.onAborted(() => undefined);
    res.onData((_chunk, isLast) => {
      if (!isLast) return;
      res.endWithoutBody(0);
      setImmediate(deliver, bytes);
    });
  })
  .listen('127.0.0.1', Number(process.argv[2] ?? '0'), (socket) => {
    if (socket === false) throw new Error('the port is taken');
    process.stdout.write('ready\n');
  });
