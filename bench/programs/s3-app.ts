/**
 * S3's application before its cache: three routes that take as long as its document says its database and
 * its valuation take, and answer about 2 KB of JSON. `/calls` says how many it was asked. Run: `node s3-app.js <port>`
 */
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const [port = '0'] = process.argv.slice(2);
const TAKES_MS: readonly (readonly [prefix: string, ms: number])[] = [
  ['/api/areas/', 850],
  ['/api/property-types/', 450],
  ['/api/property/valuation', 1200],
];
const ROWS = Array.from({ length: 40 }, (_, at) => ({ id: at, name: `row ${at}`, listings: at * 17 }));
let calls = 0;

async function answer(url: string): Promise<string | undefined> {
  const takes = TAKES_MS.find(([prefix]) => url.startsWith(prefix));
  if (takes === undefined) return undefined;
  calls += 1;
  await sleep(takes[1]);
  return JSON.stringify({ success: true, asked: url, data: ROWS });
}

const server = createServer((request, response) => {
  const { url = '' } = request;
  if (url === '/calls') {
    response.end(JSON.stringify({ calls }));
    return;
  }
  void answer(url).then((text) => {
    const body = Buffer.from(text ?? '{}');
    response.writeHead(text === undefined ? 404 : 200, {
      'content-type': 'application/json',
      'content-length': body.length,
    });
    response.end(body);
  });
});
server.keepAliveTimeout = 60_000;
server.listen(Number(port), '127.0.0.1', () => process.stdout.write('ready\n'));
