#!/usr/bin/env node
/**
 * The program's first lines: what must be settled before Node's thread pool starts, which an ES module
 * is too late for. Reads `.env`, sizes the pool, refuses old Node versions, then hands over to main.ts.
 * Plain syntax on purpose: an old Node must get far enough to say so.
 */
const EX_CONFIG = 78;
/** Threads that stay free for files and DNS while every worker encodes: sharp shares libuv's pool. */
const POOL_RESERVE = 4;
/** How far its threads give way, if the environment does not say: to a third of the loop's share. */
const NICE = 5;

function refuse(line: string): never {
  process.stderr.write('afterimage: ' + line + '\n');
  process.exit(EX_CONFIG);
}

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  refuse('this is Node ' + process.versions.node + '; use Node 22, or 20.19 and up');
}

const fs = process.getBuiltinModule('node:fs');
const os = process.getBuiltinModule('node:os');
const v8 = process.getBuiltinModule('node:v8');

/**
 * V8 adds what buffers hold outside its heap to what the heap has grown by, and marks all of it when it has
 * grown by a fifth: with images that was every fifth one, for 15 to 40 ms. Four times is the most that V8
 * itself lets a heap grow by that allocates a lot; buffers alone still begin a marking every 64 MB.
 */
v8.setFlagsFromString('--heap-growing-percent=300');

// What the environment says already wins over the file.
if (fs.existsSync('.env')) {
  try {
    process.loadEnvFile('.env');
  } catch (error) {
    refuse('.env cannot be read: ' + String(error));
  }
}

if (!process.env['UV_THREADPOOL_SIZE']) {
  // A value that is no number is reported later, with all other problems of the configuration.
  const asked = Number(process.env['WORKER_THREADS']) || 0;
  const workers = asked > 0 ? Math.min(asked, 256) : Math.max(2, os.availableParallelism());
  process.env['UV_THREADPOOL_SIZE'] = String(workers + POOL_RESERVE);
}

// Read when the native module loads. Its own 4 KiB are less than an id of 512 characters may take in an
// address, and than the cookies that a browser sends to every port of localhost.
if (!process.env['UWS_HTTP_MAX_HEADERS_SIZE']) process.env['UWS_HTTP_MAX_HEADERS_SIZE'] = '16384';

/**
 * Decoding and files run in libuv's threads, and yield to the loop that serves everybody: where cores are
 * short, a thread in the middle of a picture would hold it up for a turn of the scheduler. The threads
 * start with their first task, and Linux takes a thread's number where it takes a process's.
 */
function lowerPoolPriority(): void {
  const TASKS = '/proc/self/task';
  if (!fs.existsSync(TASKS)) return;
  const known = new Set(fs.readdirSync(TASKS));
  // A value that is no number is reported later, with all other problems of the configuration.
  const nice = Number(process.env['WORKER_NICE'] || NICE);
  fs.stat('/', () => undefined);
  for (const thread of fs.readdirSync(TASKS)) {
    if (!known.has(thread)) os.setPriority(Number(thread), nice);
  }
}

try {
  lowerPoolPriority();
} catch {
  // Not allowed here: the threads are equals, which only costs evenness under load.
}

import('./main.ts').catch((error: unknown) => {
  process.stderr.write('afterimage: ' + String(error) + '\n');
  process.exit(1);
});
