/**
 * One GET of a blob, whole or a range of it: deadlines, length and checksum, what each failure means,
 * and what the breaker learns from it. Knows neither keys nor tiers nor what is kept.
 */
import { createHash } from 'node:crypto';
import type { BlobDownloadResponseParsed, ContainerClient } from '@azure/storage-blob';
import type { Clock } from '../core/clock.ts';
import { AppError } from '../errors.ts';
import { readBlobError, type BlobFailure } from './blob-error.ts';
import { createDeadline, type Deadline } from '../core/deadline.ts';
import type { OriginGate, OriginPass } from './origin-gate.ts';
import { settlePass } from './settle-pass.ts';

export interface BlobRequest {
  /** Both inclusive. Absent: the whole blob. */
  readonly range?: { readonly from: number; readonly to: number };
  readonly ifNoneMatch?: string;
  readonly ifMatch?: string;
}

export interface OpenBlob {
  readonly kind: 'open';
  readonly etag: string;
  /** Of the whole blob, whatever the range. */
  readonly totalBytes: number;
  /**
   * To be iterated once. The last piece comes only when length and checksum are right: whoever passes
   * pieces on has not sent everything before that is known. AppError origin_failed, origin_timeout,
   * request_aborted.
   */
  pieces(): AsyncGenerator<Uint8Array>;
  /** The pieces were not what Azure keeps: none of them may be used. */
  isCorrupt(): boolean;
  /** Lets go of the connection if nobody reads. */
  discard(): void;
}

export type BlobReply = OpenBlob | Exclude<BlobFailure, { kind: 'failed' }>;

export interface BlobReader {
  /** AppError where Azure fails or the gate is shut. */
  open(name: string, request: BlobRequest, signal: AbortSignal): Promise<BlobReply>;
  stats(): { readonly calls: number; readonly errors: number; readonly bytes: number };
}

export interface BlobReaderDeps {
  readonly container: ContainerClient;
  readonly gate: OriginGate;
  readonly clock: Clock;
  /** Longest wait for the first byte, and for each next piece. */
  readonly timeoutMs: number;
}

/** One call: its deadline, and what its outcome teaches the counters and the breaker. */
interface Call {
  readonly deadline: Deadline;
  readonly pass: OriginPass;
  readonly countBytes: (bytes: number) => void;
  readonly judge: (thrown: unknown) => BlobFailure;
  isCorrupt: boolean;
}

export function createBlobReader(deps: BlobReaderDeps): BlobReader {
  const { container, gate, clock, timeoutMs } = deps;
  let calls = 0;
  let errors = 0;
  let bytes = 0;

  const judge = (thrown: unknown, deadline: Deadline, pass: OriginPass, outer: AbortSignal): BlobFailure => {
    if (outer.aborted && !deadline.hasPassed()) {
      pass.givenUp();
      return failed(new AppError('request_aborted', undefined, thrown));
    }
    const failure = deadline.hasPassed()
      ? failed(new AppError('origin_timeout', undefined, thrown))
      : readBlobError(thrown, clock.nowMs());
    if (failure.kind === 'failed') errors += 1;
    settlePass(pass, failure);
    return failure;
  };

  return {
    async open(name, request, signal) {
      signal.throwIfAborted();
      const pass = gate.enter();
      const deadline = createDeadline(timeoutMs, signal);
      const call: Call = {
        deadline,
        pass,
        countBytes: (count) => (bytes += count),
        judge: (thrown) => judge(thrown, deadline, pass, signal),
        isCorrupt: false,
      };
      calls += 1;
      try {
        const response = await download(container, name, request, deadline.signal);
        return openBlob(response, call);
      } catch (thrown) {
        deadline.abort();
        const failure = call.judge(thrown);
        if (failure.kind === 'failed') throw failure.error;
        return failure;
      }
    },
    stats: () => ({ calls, errors, bytes }),
  };
}

function failed(error: AppError): BlobFailure {
  return { kind: 'failed', error, alive: false, denied: false, retryAfterMs: 0 };
}

async function download(
  container: ContainerClient,
  name: string,
  request: BlobRequest,
  abortSignal: AbortSignal,
): Promise<BlobDownloadResponseParsed> {
  const { range, ifNoneMatch, ifMatch } = request;
  const conditions = {
    ...(ifNoneMatch === undefined ? {} : { ifNoneMatch }),
    ...(ifMatch === undefined ? {} : { ifMatch }),
  };
  const count = range === undefined ? undefined : range.to - range.from + 1;
  // The SDK's own re-reads would run outside the deadline and the breaker.
  const options = { abortSignal, conditions, maxRetryRequests: 0 };
  return container.getBlobClient(name).download(range?.from ?? 0, count, options);
}

function openBlob(response: BlobDownloadResponseParsed, call: Call): OpenBlob {
  // Nothing is read yet: the time runs again when somebody begins.
  call.deadline.pause();
  // Until then nobody else listens, and an unheard error ends the process.
  response.readableStreamBody?.on('error', () => undefined);
  return {
    kind: 'open',
    etag: response.etag ?? '',
    totalBytes: totalOf(response),
    pieces: () => readPieces(response, call),
    isCorrupt: () => call.isCorrupt,
    discard() {
      call.pass.succeeded();
      call.deadline.abort();
    },
  };
}

/** `bytes 3-6/11`, or the length where the answer is whole. */
function totalOf(response: BlobDownloadResponseParsed): number {
  const [, total] = /\/(\d+)$/.exec(response.contentRange ?? '') ?? [];
  return total === undefined ? (response.contentLength ?? 0) : Number(total);
}

async function* readPieces(response: BlobDownloadResponseParsed, call: Call): AsyncGenerator<Uint8Array> {
  const { deadline, pass } = call;
  // A range carries the checksum of the whole blob, if any: nothing to compare with.
  const md5 = response.contentRange === undefined ? response.contentMD5 : undefined;
  const hash = md5 === undefined ? undefined : createHash('md5');
  let received = 0;
  let last: Uint8Array | undefined;
  try {
    deadline.touch();
    // Node's typings know only that this is a stream; it is opened without an encoding, so of Buffers.
    for await (const piece of (response.readableStreamBody ?? []) as AsyncIterable<Buffer>) {
      deadline.pause();
      if (received === 0) pass.succeeded();
      received += piece.byteLength;
      call.countBytes(piece.byteLength);
      hash?.update(piece);
      if (received === response.contentLength) last = piece;
      else yield piece;
      deadline.touch();
    }
    call.isCorrupt = md5 !== undefined && hash?.digest().equals(md5) !== true;
    if (received !== response.contentLength || call.isCorrupt) {
      throw new Error('received other bytes than announced');
    }
    pass.succeeded();
    deadline.release();
    if (last !== undefined) yield last;
  } catch (thrown) {
    const failure = call.judge(thrown);
    throw failure.kind === 'failed' ? failure.error : new AppError('origin_failed', undefined, thrown);
  } finally {
    deadline.abort();
  }
}
