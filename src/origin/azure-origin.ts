/**
 * Azure Blob Storage as the place that images come from: one GET a miss and never a question whether a
 * blob exists, revalidation by ETag, a short memory for what is missing, stale bytes while Azure fails.
 * Knows nothing of tiers beyond Keep.
 */
import { createHash } from 'node:crypto';
import type { Keep, Origin, OriginAnswer } from '../cache/origin.ts';
import type { Clock } from '../core/clock.ts';
import type { Entry } from '../core/entry.ts';
import { AppError, type ErrorCode } from '../errors.ts';
import { createBlobMemory, type BlobMemory, type BlobMemoryOptions, type LargeKnown } from './blob-memory.ts';
import type { BlobReader, OpenBlob } from './blob-reader.ts';
import type { BlobWriter } from './blob-writer.ts';
import { createLargeBlob } from './large-blob.ts';
import { peekBlob, readWholeBlob } from './whole-blob.ts';

export interface AzureOriginOptions extends BlobMemoryOptions {
  /** Blobs over this are streamed through. */
  readonly cutoffBytes: number;
  readonly writeThrough: boolean;
}

export interface AzureOriginDeps {
  readonly reader: BlobReader;
  readonly writer: BlobWriter;
  readonly keep: Keep;
  readonly clock: Clock;
}

const KEY_PREFIX = 'image:';
/** Failures of Azure's, for which stale bytes make up; whatever else is thrown is the caller's or ours. */
const AZURE_FAILED: ReadonlySet<ErrorCode> = new Set([
  'origin_failed',
  'origin_timeout',
  'not_an_image',
  'svg_refused',
]);

function nameOf(key: string): string {
  return key.slice(KEY_PREFIX.length);
}

export function createAzureOrigin(options: AzureOriginOptions, deps: AzureOriginDeps): Origin {
  const { reader, writer, clock } = deps;
  const memory = createBlobMemory(options, clock);
  const taken = createTaker(options.cutoffBytes, memory, deps);
  const counts = { spared: 0, revalidated: 0, missing: 0, staleServed: 0 };

  /** Asks Azure. `current`: what is held of it, and its ETag is asked about. */
  async function ask(key: string, current: Entry | undefined, signal: AbortSignal): Promise<OriginAnswer> {
    const etag = current?.origin?.etag;
    const reply = await reader.open(nameOf(key), etag === undefined ? {} : { ifNoneMatch: etag }, signal);
    if (reply.kind === 'open') return taken(key, reply);
    if (reply.kind === 'missing') {
      counts.missing += 1;
      memory.noteMissing(key);
      return { kind: 'missing' };
    }
    if (reply.kind !== 'unchanged' || current === undefined || etag === undefined) {
      throw new AppError('origin_failed', 'Azure answered what it was not asked.');
    }
    counts.revalidated += 1;
    return { kind: 'unchanged', entry: { ...current, origin: memory.mark(key, etag) }, stale: false };
  }

  async function fetch(key: string, held: Entry | undefined, signal: AbortSignal): Promise<OriginAnswer> {
    const large = held === undefined ? memory.large(key) : undefined;
    const best = held ?? large?.entry;
    const current = best === undefined ? undefined : memory.withNewestMark(best);
    if (current !== undefined && (memory.isFresh(current) || large?.blob.isFilling() === true)) {
      counts.spared += 1;
      return asHeld({ kind: 'unchanged', entry: current, stale: false }, large);
    }
    if (current === undefined && memory.isMissing(key)) {
      counts.spared += 1;
      return { kind: 'missing' };
    }
    try {
      return asHeld(await ask(key, current, signal), large);
    } catch (thrown) {
      const stale =
        thrown instanceof AppError && AZURE_FAILED.has(thrown.code) ? memory.staleOf(current) : undefined;
      if (stale === undefined) throw thrown;
      counts.staleServed += 1;
      return asHeld({ kind: 'unchanged', entry: stale, stale: true }, large);
    }
  }

  return {
    name: 'azure',
    covers: (key) => key.startsWith(KEY_PREFIX),
    fetch,
    ...(options.writeThrough ? writeThrough(writer, memory) : {}),
    forget: memory.forget,
    forgetAll: memory.forgetAll,
    stats() {
      const read = reader.stats();
      const written = writer.stats();
      const sums = { calls: read.calls + written.calls, errors: read.errors + written.errors };
      return { name: 'azure', ...counts, ...sums, bytes: read.bytes };
    },
    async close() {
      memory.forgetAll();
    },
  };
}

/** New bytes of a key: held whole up to the cut-off, passed through beyond. */
function createTaker(
  cutoffBytes: number,
  memory: BlobMemory,
  deps: AzureOriginDeps,
): (key: string, blob: OpenBlob) => Promise<OriginAnswer> {
  return async (key, first) => {
    memory.forget(key);
    const { etag, totalBytes: bytes } = first;
    const common = { key, bytes, storedAtMs: deps.clock.nowMs(), expiresAtMs: 0 };
    if (bytes <= cutoffBytes) {
      const { body, mime, version } = await readWholeBlob(first);
      return { kind: 'whole', entry: { ...common, mime, version, origin: memory.mark(key, etag) }, body };
    }
    const { mime, blob } = await peekBlob(first);
    const version = createHash('sha256').update(`${etag}\n${bytes}\n${key}`).digest('hex');
    const entry: Entry = { ...common, mime, version, origin: memory.mark(key, etag), undigested: true };
    const body = createLargeBlob(nameOf(key), entry, blob, deps);
    memory.noteLarge({ entry, blob: body });
    return { kind: 'large', entry, body };
  };
}

/** The caller holds nothing of a large blob that passes through: its unchanged bytes are ours to give. */
function asHeld(answer: OriginAnswer, large: LargeKnown | undefined): OriginAnswer {
  if (answer.kind !== 'unchanged' || large === undefined) return answer;
  return { kind: 'large', entry: answer.entry, body: large.blob };
}

function writeThrough(writer: BlobWriter, memory: BlobMemory): Required<Pick<Origin, 'put' | 'delete'>> {
  return {
    async put(entry, body, signal) {
      memory.forget(entry.key);
      const etag = await writer.put(nameOf(entry.key), body, entry.mime, signal);
      return { ...entry, origin: memory.mark(entry.key, etag) };
    },
    async delete(key, signal) {
      memory.forget(key);
      return writer.delete(nameOf(key), signal);
    },
  };
}
