/**
 * The story of a producer's stream: each partial goes out as it arrives, the final is kept, a failure is
 * announced. One image of the response after the other is `{id}`, `{id}/2`, `{id}/3`.
 */
import type { EventDraft } from '../core/event.ts';
import { createImageStreamReader, type ImageStep } from '../core/openai-image-stream.ts';
import { createSseParser } from '../core/sse-parser.ts';
import { AppError, toAppError } from '../errors.ts';
import { ingestImage, type IngestDeps, type Receipt } from './ingest-image.ts';

export interface StreamUpload {
  readonly id: string;
  readonly topics: readonly string[];
  readonly ttlS?: number;
  /** Most base64 characters that one event may have, its envelope included. */
  readonly eventCharsMax: number;
}

/** Images that one response may carry. */
const IMAGES_MAX = 16;

/** Ends with the receipts of the finals; AppError stream_failed when there was none, or the producer failed. */
export async function ingestStream(
  upload: StreamUpload,
  chunks: AsyncIterable<Uint8Array>,
  deps: IngestDeps,
  signal: AbortSignal,
): Promise<readonly Receipt[]> {
  const receipts: Receipt[] = [];
  const open = new Set<string>([upload.id]);
  try {
    for await (const step of readSteps(chunks, upload.eventCharsMax)) {
      const receipt = await takeStep(step, upload, deps, signal);
      if (receipt === undefined) continue;
      open.add(receipt.id);
      if (step.kind !== 'final') continue;
      open.delete(receipt.id);
      receipts.push(receipt);
    }
    if (receipts.length === 0) throw new AppError('stream_failed');
  } catch (error) {
    const { code } = toAppError(error);
    await Promise.all([...open].map(async (id) => deps.announce(failure(id, upload.topics, code))));
    throw error;
  }
  return receipts;
}

async function* readSteps(
  chunks: AsyncIterable<Uint8Array>,
  eventCharsMax: number,
): AsyncGenerator<ImageStep> {
  const parser = createSseParser(eventCharsMax);
  const reader = createImageStreamReader();
  for await (const chunk of chunks) {
    for (const event of parser.push(chunk)) {
      if (event.data === '[DONE]') return;
      const step = reader.read(event);
      if (step !== undefined) yield step;
    }
  }
}

async function takeStep(
  step: ImageStep,
  upload: StreamUpload,
  deps: IngestDeps,
  signal: AbortSignal,
): Promise<Receipt | undefined> {
  if (step.kind === 'failed') throw new AppError('stream_failed', `The producer said: ${step.reason}.`);
  if (step.slot >= IMAGES_MAX)
    throw new AppError('stream_invalid', `One stream has at most ${IMAGES_MAX} images.`);
  const image = {
    id: step.slot === 0 ? upload.id : `${upload.id}/${step.slot + 1}`,
    body: textBytes(step.base64),
    form: 'base64',
    topics: upload.topics,
  } as const;
  if (step.kind === 'partial') return ingestImage({ ...image, partialIndex: step.index }, deps, signal);
  return ingestImage({ ...image, ...(upload.ttlS === undefined ? {} : { ttlS: upload.ttlS }) }, deps, signal);
}

function textBytes(text: string): ArrayBuffer {
  return new TextEncoder().encode(text).buffer;
}

function failure(id: string, topics: readonly string[], reason: string): EventDraft {
  return { name: 'image.failed', kind: 'final', data: { id, topics, reason }, thumbnail: '', bodyKey: '' };
}
