/**
 * Reads a request body into one ArrayBuffer of exactly its size, refusing it from its Content-Length
 * and again while it arrives. Charges the upload budget for as long as the bytes are held here.
 */
import { AppError } from '../errors.ts';
import type { RequestBody } from './request-body.ts';
import type { UploadBudget } from './upload-budget.ts';

export interface BodyRequest {
  /** '' when the body is chunked. */
  readonly contentLength: string;
  readonly limitBytes: number;
  readonly budget: UploadBudget;
  readonly signal: AbortSignal;
}

function declaredBytes(contentLength: string): number | undefined {
  return /^\d{1,15}$/.test(contentLength) ? Number(contentLength) : undefined;
}

/**
 * An upload is charged this many times what has come of it, at most its length: enough that who sends can
 * finish, while ten clients who announce much and send nothing take no room from others (CWE-400).
 */
const CHARGED_AHEAD = 4;
const CHARGED_BYTES_MIN = 64 * 1024;

interface Collector {
  /** The chunk is neutered afterwards: copies it. */
  add(chunk: ArrayBuffer): void;
  receivedBytes(): number;
  /** All of it, in an ArrayBuffer of its own. */
  whole(): ArrayBuffer;
  drop(): void;
}

/** Of a known length: copied once, into memory that is asked for when the first bytes come. */
function collectDeclared(bytes: number): Collector {
  let whole = new Uint8Array(0);
  let received = 0;
  return {
    add(chunk) {
      // Not cleared: its pages are touched as they fill, and none is handed on before all of it is full.
      if (received === 0) whole = new Uint8Array(Buffer.allocUnsafeSlow(bytes).buffer);
      whole.set(new Uint8Array(chunk), received);
      received += chunk.byteLength;
    },
    receivedBytes: () => received,
    whole: () => whole.buffer,
    drop: () => void (whole = new Uint8Array(0)),
  };
}

function collectChunked(): Collector {
  let chunks: Uint8Array[] = [];
  let received = 0;
  return {
    add(chunk) {
      chunks.push(new Uint8Array(chunk.slice(0)));
      received += chunk.byteLength;
    },
    receivedBytes: () => received,
    whole() {
      const whole = new Uint8Array(received);
      let offset = 0;
      for (const chunk of chunks) {
        whole.set(chunk, offset);
        offset += chunk.byteLength;
      }
      return whole.buffer;
    },
    drop: () => void (chunks = []),
  };
}

/**
 * Resolves with the whole body; `release` gives its bytes back to the budget. Rejects with AppError
 * image_too_large, overloaded or request_aborted. Must be called before the handler returns: the first
 * chunk may come right after.
 */
export async function readBody(
  source: RequestBody,
  request: BodyRequest,
): Promise<{ readonly body: ArrayBuffer; readonly release: () => void }> {
  const declared = declaredBytes(request.contentLength);
  const limitBytes = Math.min(declared ?? Infinity, request.limitBytes);
  const tooLarge = (): AppError =>
    new AppError('image_too_large', `The body is over ${request.limitBytes} bytes.`);
  if (declared !== undefined && declared > limitBytes) throw tooLarge();

  let charged = 0;
  const charge = (bytes: number): void => {
    request.budget.take(bytes);
    charged += bytes;
  };
  const release = (): void => {
    request.budget.give(charged);
    charged = 0;
  };
  const chargeFor = (received: number): void => {
    const ahead = Math.max(CHARGED_BYTES_MIN, received * CHARGED_AHEAD);
    const due = declared === undefined ? received : Math.min(declared, ahead);
    if (due > charged) charge(due - charged);
  };
  // Refused before it is sent where there is no room for all of it now.
  request.budget.check(declared ?? 0);
  chargeFor(0);

  return new Promise((resolve, reject) => {
    const collector = declared === undefined ? collectChunked() : collectDeclared(declared);
    let failed = false;
    const fail = (error: unknown): void => {
      if (failed) return;
      failed = true;
      collector.drop();
      release();
      reject(error instanceof Error ? error : new AppError('internal', undefined, error));
    };
    const gone = (): void => fail(new AppError('request_aborted'));
    const take = (chunk: ArrayBuffer): void => {
      const received = collector.receivedBytes() + chunk.byteLength;
      if (received > limitBytes) throw tooLarge();
      chargeFor(received);
      if (chunk.byteLength > 0) collector.add(chunk);
    };
    request.signal.addEventListener('abort', gone, { once: true });
    source.onData((chunk, isLast) => {
      if (failed) return;
      try {
        take(chunk);
      } catch (error) {
        fail(error);
        return;
      }
      if (!isLast) return;
      request.signal.removeEventListener('abort', gone);
      if (declared !== undefined && collector.receivedBytes() < declared) gone();
      else resolve({ body: collector.whole(), release });
    });
  });
}
