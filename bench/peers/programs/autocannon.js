/**
 * autocannon as the load where wrk is missing: one process, as many connections as asked, failures counted.
 * It parses every answer in JavaScript, and is itself what limits against a fast server. Prints one line of
 * JSON. Run: `node autocannon.js '<{ url, connections, seconds, headers, perSecond, paths, from }>'`
 */
import { readFileSync } from 'node:fs';
import autocannon from 'autocannon';

const load = JSON.parse(process.argv[2] ?? '{}');
const paths = load.paths === undefined ? [] : readFileSync(load.paths, 'utf8').trim().split('\n');
let at = load.from ?? 0;
const next = (request) => {
  request.path = paths[at++ % paths.length];
  return request;
};
const result = await autocannon({
  url: load.url,
  connections: load.connections,
  duration: load.seconds,
  headers: Object.fromEntries(load.headers.map((header) => header.split(/: (.*)/s).slice(0, 2))),
  ...(load.perSecond === undefined ? {} : { overallRate: load.perSecond, ignoreCoordinatedOmission: true }),
  ...(paths.length === 0 ? {} : { requests: [{ setupRequest: next }] }),
});
const failed = result.errors + result.timeouts + result['4xx'] + result['5xx'];
const { p50, p99 } = result.latency;
process.stdout.write(`${JSON.stringify({ perSecond: result.requests.mean, p50, p99, failed })}\n`);
