/**
 * So many requests and no more: connections are opened first, then each asks for the next path of a list as
 * soon as it has its answer. Time to the last answer, and of each. Prints one line of JSON.
 * Run: `node burst-load.js '<BurstLoad as JSON>'`
 */
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

/** The program's argument. */
export interface BurstLoad {
  readonly port: number;
  readonly connections: number;
  /** A file with a path on each line, each asked for once. */
  readonly paths: string;
  /** Stores so many bytes under each path instead of asking for it. */
  readonly putBytes: number;
}

export interface BurstResult {
  readonly answers: number;
  /** Any but 200 and 201. */
  readonly failed: number;
  readonly bodyBytes: number;
  readonly lastMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const CONNECT_BATCH = 100;
const DEADLINE_MS = 300_000;
const HEAD_END = '\r\n\r\n';

// The harness is who passes it.
const load = JSON.parse(process.argv[2] ?? '{}') as BurstLoad;
const paths = readFileSync(load.paths, 'utf8').trim().split('\n');
const body = Buffer.alloc(load.putBytes, 'A');
const tookMs = new Float64Array(paths.length);
let asked = 0;
let answers = 0;
let failed = 0;
let bodyBytes = 0;
let opened = 0;

function requestOf(path: string): string {
  const host = `Host: 127.0.0.1:${load.port}\r\n`;
  if (load.putBytes === 0) return `GET ${path} HTTP/1.1\r\n${host}\r\n`;
  const type = `Content-Type: text/plain\r\nContent-Length: ${load.putBytes}\r\n`;
  return `PUT ${path} HTTP/1.1\r\n${host}${type}\r\n${body.toString('latin1')}`;
}

/** Undefined: the head is not whole yet. */
function readHead(bytes: Buffer) {
  const end = bytes.indexOf(HEAD_END);
  if (end < 0) return undefined;
  const head = bytes.toString('latin1', 0, end);
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length === undefined) throw new Error(`an answer does not say how long it is:\n${head}`);
  const isGood = head.startsWith('HTTP/1.1 200') || head.startsWith('HTTP/1.1 201');
  return { isGood, bodyAt: end + HEAD_END.length, bodyLength: Number(length) };
}

function openConnection(): Socket {
  const socket = connect({ port: load.port, host: '127.0.0.1', noDelay: true });
  let unread: Buffer = Buffer.alloc(0);
  let missingBytes = -1;
  let mine = -1;
  let sentAtMs = 0;

  function next(): void {
    mine = asked;
    asked += 1;
    const path = paths[mine];
    if (path === undefined) return;
    missingBytes = -1;
    sentAtMs = performance.now();
    socket.write(requestOf(path));
  }

  function noteHead(chunk: Buffer): void {
    unread = unread.length === 0 ? chunk : Buffer.concat([unread, chunk]);
    const head = readHead(unread);
    if (head === undefined) return;
    if (!head.isGood) failed += 1;
    bodyBytes += head.bodyLength;
    missingBytes = head.bodyLength - (unread.length - head.bodyAt);
    unread = Buffer.alloc(0);
  }

  socket.on('data', (chunk) => {
    if (missingBytes < 0) noteHead(chunk);
    else missingBytes -= chunk.length;
    if (missingBytes !== 0) return;
    tookMs[mine] = performance.now() - sentAtMs;
    answers += 1;
    next();
  });
  socket.once('connect', () => (opened += 1));
  socket.once('error', () => (failed += 1));
  socket.on('begin', next);
  return socket;
}

async function openAll(): Promise<Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < load.connections) {
    const batch = Math.min(CONNECT_BATCH, load.connections - sockets.length);
    for (let each = 0; each < batch; each += 1) sockets.push(openConnection());
    while (opened < sockets.length) await sleep(1);
  }
  return sockets;
}

function percentile(sorted: Float64Array, percent: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? Number.NaN;
}

const deadline = setTimeout(() => {
  process.stderr.write(`${answers} of ${paths.length} were answered\n`);
  process.exit(1);
}, DEADLINE_MS);
const sockets = await openAll();
const startMs = performance.now();
for (const socket of sockets) socket.emit('begin');
while (answers < paths.length) await sleep(0.5);
const lastMs = performance.now() - startMs;
clearTimeout(deadline);
const sorted = tookMs.toSorted();
const result: BurstResult = {
  answers,
  failed,
  bodyBytes,
  lastMs,
  p50Ms: percentile(sorted, 50),
  p99Ms: percentile(sorted, 99),
};
process.stdout.write(`${JSON.stringify(result)}\n`);
process.exit(0);
