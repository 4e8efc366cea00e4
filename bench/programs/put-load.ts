/**
 * Hands images over at a steady rate, open loop, and (where asked) waits for each one's event: what the
 * producer and the subscriber see. Prints one line of JSON. Run: `node put-load.js '<PutLoad as JSON>'`
 */
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';

/** The program's argument. */
export interface PutLoad {
  readonly base: string;
  readonly file: string;
  readonly form: 'raw' | 'base64';
  readonly perSecond: number;
  readonly seconds: number;
  /** Set into this Redis instead, as base64 JSON under `image:{id}`: another program's image. */
  readonly redisPort: number;
  readonly follows: boolean;
}

/** Requests that may be open at once: a server that falls behind is then seen in the rate. */
const OPEN_MOST = 256;
const LATE_MS = 2000;

// The harness is who passes it.
const load = JSON.parse(process.argv[2] ?? '{}') as PutLoad;
const image = readFileSync(load.file);
const json = JSON.stringify({ base64_data: image.toString('base64'), mime_type: 'image/png' });
const body = load.form === 'raw' ? image : Buffer.from(json);
const type = load.form === 'raw' ? 'image/png' : 'application/json';
const redis = load.redisPort === 0 ? undefined : new Redis({ host: '127.0.0.1', port: load.redisPort });
const sentAtMs = new Map<string, number>();
const lags: number[] = [];
const run = Date.now().toString(36);
let open = 0;
let done = 0;
let failed = 0;
let skipped = 0;

async function send(id: string): Promise<void> {
  sentAtMs.set(id, performance.now());
  if (redis !== undefined) {
    await redis.set(`image:${id}`, json, 'EX', 60);
    return;
  }
  const response = await fetch(`${load.base}/images/${id}`, {
    method: 'PUT',
    body,
    headers: { 'content-type': type },
  });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(String(response.status));
}

function offer(id: string): void {
  if (open >= OPEN_MOST) {
    skipped += 1;
    return;
  }
  open += 1;
  send(id)
    .then(() => (done += 1))
    .catch(() => (failed += 1))
    .finally(() => (open -= 1));
}

/** One event after another; an event counts when it carries the thumbnail. */
async function follow(): Promise<void> {
  const response = await fetch(`${load.base}/events?topic=*`, { headers: { accept: 'text/event-stream' } });
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of response.body ?? []) {
    rest += decoder.decode(chunk, { stream: true });
    const events = rest.split('\n\n');
    rest = events.pop() ?? '';
    for (const event of events) noteEvent(event);
  }
}

function noteEvent(event: string): void {
  const id = /"id":"([^"]+)"/.exec(event)?.[1] ?? '';
  const sent = sentAtMs.get(id);
  if (sent === undefined || !event.includes('"thumbnail":')) return;
  sentAtMs.delete(id);
  lags.push(performance.now() - sent);
}

function percentile(percent: number): number {
  const sorted = lags.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? Number.NaN;
}

if (load.follows) {
  void follow().catch(() => process.exit(1));
  await sleep(200);
}
const startMs = performance.now();
const total = Math.round(load.perSecond * load.seconds);
for (let index = 0; index < total; index += 1) {
  const dueMs = startMs + (index * 1000) / load.perSecond;
  const waitMs = dueMs - performance.now();
  if (waitMs > 0) await sleep(waitMs);
  offer(`${run}-${index}`);
}
const tookS = (performance.now() - startMs) / 1000;
const doneInTime = done;
const deadlineMs = performance.now() + LATE_MS;
while ((open > 0 || (load.follows && lags.length < total)) && performance.now() < deadlineMs) await sleep(10);
const result = {
  mbPerSecond: (doneInTime * body.length) / tookS / 1e6,
  done,
  failed,
  skipped,
  events: lags.length,
  p50Ms: percentile(50),
  p99Ms: percentile(99),
};
process.stdout.write(`${JSON.stringify(result)}\n`);
process.exit(0);
