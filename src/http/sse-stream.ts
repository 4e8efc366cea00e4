/**
 * The sink of an event stream over HTTP. What uWebSockets.js does with a reader that does not read was
 * measured (test/fault/slow-reader.test.ts); each rule below keeps one of those results from happening.
 */
import type { HttpResponse } from 'uWebSockets.js';
import type { Frame, SendOutcome, Sink } from '../events/sink.ts';
import type { Headers } from './exchange.ts';

/** What the transport tells of its reader: the subscriber. */
export interface StreamReader {
  drained(): boolean;
  progressed(): void;
  closed(): void;
}

export interface SseOptions {
  readonly cors: Headers;
  readonly retryMs: number;
}

const COMMENT = Buffer.from(':\n\n');
/** Calls of hold(), about a second each: well below the ten seconds after which the library cuts a reader. */
const HOLDS_PER_PROBE = 4;

/** What the library keeps of a corked response; with more it sends at once, and then each write for itself. */
const CORK_BYTES = 16 * 1024;
/** The length of a chunk, and its line ends. */
const CHUNK_HEAD_BYTES = 16;

/** One closure for all writes: a fan-out makes hundreds of thousands a second. */
let corkedResponse: HttpResponse | undefined;
let corkedBytes: Uint8Array = COMMENT;
let corkedFrames: readonly Frame[] = [];
let corkedFrom = 0;
let wasTaken = true;

function writeCorked(): void {
  wasTaken = corkedResponse?.write(corkedBytes) ?? false;
}

/** False: buffered whole (never send it again), and nothing more may be sent until it is flushed. */
function write(res: HttpResponse, bytes: Uint8Array): boolean {
  corkedResponse = res;
  corkedBytes = bytes;
  // Uncorked, a write is four system calls.
  res.cork(writeCorked);
  corkedResponse = undefined;
  return wasTaken;
}

function fits(frame: Frame | undefined, room: number): frame is Frame {
  return frame !== undefined && frame.bytes.byteLength + CHUNK_HEAD_BYTES <= room;
}

function writeSomeCorked(): void {
  let room = Number.POSITIVE_INFINITY;
  for (let frame = corkedFrames[corkedFrom]; fits(frame, room); frame = corkedFrames[corkedFrom]) {
    if (corkedResponse?.write(frame.bytes) !== true) wasTaken = false;
    room = Math.min(room, CORK_BYTES) - frame.bytes.byteLength - CHUNK_HEAD_BYTES;
    corkedFrom += 1;
  }
}

/** As many in a system call as fit the library's buffer. False: as `write`, some or all. */
function writeAll(res: HttpResponse, frames: readonly Frame[]): boolean {
  corkedResponse = res;
  corkedFrames = frames;
  corkedFrom = 0;
  wasTaken = true;
  while (corkedFrom < frames.length) res.cork(writeSomeCorked);
  corkedResponse = undefined;
  corkedFrames = [];
  return wasTaken;
}

function writeHead(res: HttpResponse, { cors, retryMs }: SseOptions): void {
  res.cork(() => {
    res.writeStatus('200 OK');
    res.writeHeader('Content-Type', 'text/event-stream');
    // no-transform: a proxy that compresses holds events back.
    res.writeHeader('Cache-Control', 'no-cache, no-transform');
    res.writeHeader('X-Accel-Buffering', 'no');
    res.writeHeader('X-Content-Type-Options', 'nosniff');
    for (const [name, value] of cors) res.writeHeader(name, value);
    // The comment makes proxies and polyfills pass the head on at once.
    res.write(`:\nretry: ${retryMs}\n\n`);
  });
}

/** Takes the response over and answers; call it within the handler of the request. */
export function openSseSink(res: HttpResponse, reader: StreamReader, options: SseOptions): Sink {
  let isOver = false;
  let holds = 0;

  /** A write is the only way to learn whether what is buffered has been flushed, and what gets its tail out. */
  function probe(): void {
    if (!isOver && write(res, COMMENT)) reader.drained();
  }

  res.onAborted(() => {
    isOver = true;
    reader.closed();
  });
  // Without it a reader that was slow once is cut ten seconds later, even when it has caught up.
  res.onWritable(() => {
    holds = 0;
    reader.progressed();
    probe();
    return true;
  });
  writeHead(res, options);

  return {
    send(frame: Frame): SendOutcome {
      if (isOver) return 'dead';
      return write(res, frame.bytes) ? 'sent' : 'buffered';
    },
    sendAll(frames: readonly Frame[]): SendOutcome {
      if (isOver) return 'dead';
      return writeAll(res, frames) ? 'sent' : 'buffered';
    },
    hold() {
      // A failed write starts the library's ten seconds anew: our own deadline is the one that counts.
      holds += 1;
      if (holds % HOLDS_PER_PROBE === 0) probe();
    },
    end(_reason, farewell) {
      if (isOver) return;
      isOver = true;
      // Not with `closeConnection`: after a write, the library puts that header into the body.
      res.cork(() => res.end(farewell.bytes));
    },
  };
}
