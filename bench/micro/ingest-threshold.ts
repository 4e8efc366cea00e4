/**
 * When is an envelope small enough to unwrap where it is? Compares parse + decode + hash inline with
 * the round trip to a worker thread that does the same, by size. Run: `node dist/bench/micro/ingest-threshold.js`
 */
import { createHash } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { unwrapImage } from '../../src/core/envelope.ts';

const SIZES_KIB = [1, 4, 8, 16, 32, 48, 64, 96, 128, 256, 512, 1024, 4096];
const ROUNDS = 200;
const LIMIT_BYTES = 64 << 20;

function work(body: ArrayBuffer): { bytes: Uint8Array<ArrayBuffer>; version: string } {
  const { bytes } = unwrapImage(new Uint8Array(body), 'json', LIMIT_BYTES);
  return { bytes, version: createHash('sha256').update(bytes).digest('hex') };
}

function envelopeOf(imageBytes: number): ArrayBuffer {
  const image = Uint8Array.from({ length: imageBytes }, (_, at) => (at * 131 + (at >> 8)) & 255);
  const json = JSON.stringify({ base64_data: Buffer.from(image).toString('base64'), topics: ['job:42'] });
  return new TextEncoder().encode(json).buffer;
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

function replyOf(worker: Worker): Promise<void> {
  return new Promise((resolve) => {
    worker.once('message', () => resolve());
  });
}

/** `held` is how long the round trip keeps the main thread busy: sending, and receiving. */
async function measure(worker: Worker, template: ArrayBuffer) {
  const inline: number[] = [];
  const trip: number[] = [];
  const held: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const mine = template.slice(0);
    const start = performance.now();
    work(mine);
    inline.push(performance.now() - start);

    const theirs = template.slice(0);
    const sent = performance.now();
    const before = performance.eventLoopUtilization();
    const reply = replyOf(worker);
    worker.postMessage(theirs, [theirs]);
    await reply;
    trip.push(performance.now() - sent);
    held.push(performance.eventLoopUtilization(before).active);
  }
  return { inline: median(inline), trip: median(trip), held: median(held) };
}

async function main(): Promise<void> {
  const worker = new Worker(new URL(import.meta.url));
  await measure(worker, envelopeOf(16 << 10));
  process.stdout.write('KiB     inline ms   round trip ms   of it on the main thread ms\n');
  for (const kib of SIZES_KIB) {
    const { inline, trip, held } = await measure(worker, envelopeOf(kib << 10));
    const cells = [inline, trip, held].map((ms) => ms.toFixed(3).padStart(12));
    process.stdout.write(`${String(kib).padEnd(5)}${cells.join('')}\n`);
  }
  await worker.terminate();
}

if (isMainThread) {
  await main();
} else {
  parentPort?.on('message', (body: ArrayBuffer) => {
    const result = work(body);
    parentPort?.postMessage(result, [result.bytes.buffer]);
  });
}
