/**
 * Many subscribers and one publisher over plain TCP: no parser, no allocation for a read, one scan for
 * the byte that ends an event. Publishes as fast as the slowest subscriber keeps up with a few events
 * outstanding. Prints one line of JSON. Run: `node stream-load.js '<StreamLoad as JSON>'`
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { readProcessorTime, sharesBetween } from '../processor-time.ts';

/** The program's argument. */
export interface StreamLoad {
  readonly port: number;
  readonly path: string;
  readonly isWebSocket: boolean;
  readonly publishPath: string;
  readonly publishBytes: number;
  readonly subscribers: number;
  /** Events under way at once. */
  readonly window: number;
  readonly seconds: number;
  readonly serverPid: number;
  /** Only hold the streams open, until this process is ended. */
  readonly holds: boolean;
}

/** `^`: in no base64, no JSON of ours. The length in a WebSocket frame's head may hold it: seen at the start. */
const MARK = 0x5e;
const READ_BYTES = 256 * 1024;
const CONNECT_BATCH = 100;
/** What no test has needed: a server that lost an event would let the run wait for ever. */
const DEADLINE_EXTRA_S = 10;
const SLOTS = 1024;
const DRAIN_MS = 300;
const WARM_UP_MS = 300;

// The harness is who passes it.
const load = JSON.parse(process.argv[2] ?? '{}') as StreamLoad;
const shared = Buffer.allocUnsafeSlow(READ_BYTES);
const counts = new Uint32Array(load.subscribers);
/** How many subscribers have event n, at n modulo SLOTS. */
const reached = new Uint32Array(SLOTS);
const sentAtMs = new Float64Array(SLOTS);
const lags: number[] = [];
let published = 0;
let completed = 0;
let opened = 0;
let counting = false;

function requestOf(): string {
  const host = `Host: 127.0.0.1:${load.port}\r\n`;
  if (!load.isWebSocket) return `GET ${load.path} HTTP/1.1\r\n${host}Accept: text/event-stream\r\n\r\n`;
  const upgrade = 'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n';
  return `GET ${load.path} HTTP/1.1\r\n${host}${upgrade}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`;
}

const publisher = connect({ port: load.port, host: '127.0.0.1', noDelay: true });
publisher.resume();
const body = Buffer.alloc(load.publishBytes, 'A');
if (body.length > 0) body[body.length - 1] = MARK;
const publication = Buffer.concat([
  Buffer.from(`POST ${load.publishPath} HTTP/1.1\r\nHost: bench\r\nContent-Length: ${body.length}\r\n\r\n`),
  body,
]);

function publish(): void {
  while (published - completed < load.window) {
    const slot = published % SLOTS;
    reached[slot] = 0;
    sentAtMs[slot] = performance.now();
    published += 1;
    publisher.write(publication);
  }
}

function noteEvent(subscriber: number): void {
  const slot = (counts[subscriber] ?? 0) % SLOTS;
  counts[subscriber] = (counts[subscriber] ?? 0) + 1;
  reached[slot] = (reached[slot] ?? 0) + 1;
  if (reached[slot] !== load.subscribers) return;
  if (published === 0) return;
  completed += 1;
  if (counting) lags.push(performance.now() - (sentAtMs[slot] ?? 0));
  publish();
}

function openStream(subscriber: number): Socket {
  let isOpen = false;
  const onData = (length: number, buffer: Uint8Array): boolean => {
    if (!isOpen) {
      isOpen = true;
      opened += 1;
    }
    // A mark of our own ends the scan: behind it lie the remains of longer reads.
    if (length < READ_BYTES) buffer[length] = MARK;
    for (let at = buffer.indexOf(MARK); at !== -1 && at < length; at = buffer.indexOf(MARK, at + 1)) {
      noteEvent(subscriber);
    }
    return true;
  };
  const socket = connect({
    port: load.port,
    host: '127.0.0.1',
    onread: { buffer: shared, callback: onData },
  });
  socket.write(requestOf());
  socket.once('close', () => {
    process.stderr.write('the server closed a stream\n');
    process.exit(1);
  });
  return socket;
}

async function openAll(): Promise<void> {
  for (let start = 0; start < load.subscribers; start += CONNECT_BATCH) {
    const end = Math.min(load.subscribers, start + CONNECT_BATCH);
    for (let each = start; each < end; each += 1) openStream(each);
    while (opened < end) await sleep(1);
  }
}

function percentile(percent: number): number {
  const sorted = lags.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? Number.NaN;
}

async function main(): Promise<void> {
  await once(publisher, 'connect');
  await openAll();
  if (load.holds) {
    process.stdout.write('holding\n');
    await sleep(3_600_000);
  }
  setTimeout(
    () => {
      process.stderr.write('events are missing\n');
      process.exit(1);
    },
    (load.seconds + DEADLINE_EXTRA_S) * 1000,
  ).unref();
  // A hub may greet a new stream with what it kept of an earlier run: that is not counted.
  await sleep(DRAIN_MS);
  counts.fill(0);
  publisher.write(publication);
  while (counts.includes(0)) await sleep(10);
  await sleep(DRAIN_MS);
  if (counts.some((count) => count !== 1)) {
    process.stderr.write(`one event was counted ${counts[0] ?? 0} times\n`);
    process.exit(1);
  }
  counts.fill(0);
  reached.fill(0);
  published = 0;
  completed = 0;
  publish();
  await sleep(WARM_UP_MS);
  counting = true;
  const [before, from, fromMs] = [readProcessorTime([load.serverPid]), completed, performance.now()];
  await sleep(load.seconds * 1000);
  const after = readProcessorTime([load.serverPid]);
  const perSecond = ((completed - from) * load.subscribers * 1000) / (performance.now() - fromMs);
  const shares = before === undefined || after === undefined ? {} : sharesBetween(before, after);
  const sample = { value: perSecond, p50Ms: percentile(50), p99Ms: percentile(99), ...shares };
  process.stdout.write(`${JSON.stringify(sample)}\n`);
  process.exit(0);
}

await main();
