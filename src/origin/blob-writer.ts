/** Writes through to Azure: one PUT with type and cache control, one DELETE, each under a stall deadline. */
import type { ContainerClient } from '@azure/storage-blob';
import type { Clock } from '../core/clock.ts';
import { AppError } from '../errors.ts';
import { readBlobError } from './blob-error.ts';
import { createDeadline } from '../core/deadline.ts';
import type { OriginGate } from './origin-gate.ts';
import { settlePass } from './settle-pass.ts';

export interface BlobWriter {
  /** The ETag that Azure gave it. AppError origin_failed, origin_timeout. */
  put(name: string, body: Uint8Array, mime: string, signal: AbortSignal): Promise<string>;
  /** False: there was none. */
  delete(name: string, signal: AbortSignal): Promise<boolean>;
  stats(): { readonly calls: number; readonly errors: number };
}

export interface BlobWriterDeps {
  readonly container: ContainerClient;
  readonly gate: OriginGate;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly cacheControl: string;
}

export function createBlobWriter(deps: BlobWriterDeps): BlobWriter {
  const { container, gate, clock, timeoutMs } = deps;
  let calls = 0;
  let errors = 0;

  /** One call; undefined where Azure has no such blob. */
  const attempt = async <T>(
    signal: AbortSignal,
    call: (abortSignal: AbortSignal, onProgress: () => void) => Promise<T>,
  ): Promise<T | undefined> => {
    const pass = gate.enter();
    const deadline = createDeadline(timeoutMs, signal);
    calls += 1;
    try {
      const result = await call(deadline.signal, deadline.touch);
      pass.succeeded();
      return result;
    } catch (thrown) {
      const failure = readBlobError(thrown, clock.nowMs());
      if (failure.kind === 'missing') {
        pass.succeeded();
        return undefined;
      }
      if (signal.aborted && !deadline.hasPassed()) {
        pass.givenUp();
        throw new AppError('request_aborted', undefined, thrown);
      }
      errors += 1;
      settlePass(pass, failure);
      if (deadline.hasPassed()) throw new AppError('origin_timeout', undefined, thrown);
      throw failure.kind === 'failed' ? failure.error : new AppError('origin_failed', undefined, thrown);
    } finally {
      deadline.release();
    }
  };

  return {
    async put(name, body, mime, signal) {
      const blobHTTPHeaders = { blobContentType: mime, blobCacheControl: deps.cacheControl };
      const stored = await attempt(signal, async (abortSignal, onProgress) =>
        container
          .getBlockBlobClient(name)
          .upload(Buffer.from(body.buffer, body.byteOffset, body.byteLength), body.byteLength, {
            abortSignal,
            onProgress,
            blobHTTPHeaders,
          }),
      );
      if (stored?.etag === undefined) throw new AppError('origin_failed', 'Azure has no such container.');
      return stored.etag;
    },
    async delete(name, signal) {
      const done = await attempt(signal, async (abortSignal) =>
        container.getBlobClient(name).delete({ abortSignal }),
      );
      return done !== undefined;
    },
    stats: () => ({ calls, errors }),
  };
}
