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
 * Resolves with the whole body; `release` gives its bytes back to the budget. Rejects with AppError
 * image_too_large, overloaded or request_aborted. Must be called before the handler returns: the first
 * chunk may come right after.
 */
export async function readBody(
  source: RequestBody,
  request: BodyRequest,
): Promise<{ readonly body: ArrayBuffer; readonly release: () => void }> {
  const declared = declaredBytes(request.contentLength);
  const tooLarge = new AppError('image_too_large', `The body is over ${request.limitBytes} bytes.`);
  if (declared !== undefined && declared > request.limitBytes) throw tooLarge;

  let charged = 0;
  const charge = (bytes: number): void => {
    request.budget.take(bytes);
    charged += bytes;
  };
  const release = (): void => {
    request.budget.give(charged);
    charged = 0;
  };
  // Memory is taken as bytes arrive: a Content-Length alone must not reserve anything large.
  charge(declared ?? 0);

  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    let received = 0;
    let failed = false;
    const fail = (error: unknown): void => {
      if (failed) return;
      failed = true;
      chunks.length = 0;
      release();
      reject(error instanceof Error ? error : new AppError('internal', undefined, error));
    };
    const gone = (): void => fail(new AppError('request_aborted'));
    request.signal.addEventListener('abort', gone, { once: true });
    source.onData((chunk, isLast) => {
      if (failed) return;
      received += chunk.byteLength;
      if (received > request.limitBytes) return fail(tooLarge);
      try {
        if (received > charged) charge(received - charged);
      } catch (error) {
        return fail(error);
      }
      // The chunk is neutered when this returns: copy it.
      if (chunk.byteLength > 0) chunks.push(new Uint8Array(chunk.slice(0)));
      if (!isLast) return;
      request.signal.removeEventListener('abort', gone);
      resolve({ body: join(chunks, received), release });
    });
  });
}

function join(chunks: readonly Uint8Array[], bytes: number): ArrayBuffer {
  const [only] = chunks;
  if (chunks.length === 1 && only !== undefined && only.buffer instanceof ArrayBuffer) return only.buffer;
  const whole = new Uint8Array(bytes);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return whole.buffer;
}
