/**
 * Loads the images that travel inside events: a few at a time for each mode, each with a deadline, and
 * never a failure: an event whose image does not come in time goes out without it.
 */
import type { ImageEvent } from '../core/event.ts';
import type { EventCounters } from './event-counters.ts';
import type { InlineImage } from './sink.ts';

/** The image in at most so many bytes; undefined when it is gone or does not get that small. */
export type LoadInline = (
  event: ImageEvent,
  bytesMax: number,
  signal: AbortSignal,
) => Promise<InlineImage | undefined>;

export interface InlineLoader {
  /** Resolves within the deadline, waiting for a turn included. An abort gives undefined at once. */
  load(event: ImageEvent, signal: AbortSignal): Promise<InlineImage | undefined>;
}

export interface InlineLoaderOptions {
  readonly bytesMax: number;
  readonly concurrency: number;
  readonly timeoutMs: number;
}

async function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}

export function createInlineLoader(
  options: InlineLoaderOptions,
  loadInline: LoadInline,
  counters: EventCounters,
): InlineLoader {
  const { bytesMax, concurrency, timeoutMs } = options;
  const line: (() => void)[] = [];
  let running = 0;

  /** Hands the turn on, or gives it back. */
  function leave(): void {
    const next = line.shift();
    if (next === undefined) running -= 1;
    else next();
  }

  async function enter(): Promise<void> {
    if (running >= concurrency) return new Promise((resolve) => line.push(resolve));
    running += 1;
  }

  async function inTurn(event: ImageEvent, signal: AbortSignal): Promise<InlineImage | undefined> {
    await enter();
    try {
      if (signal.aborted) return undefined;
      counters.inlineLoads += 1;
      const image = await Promise.race([loadInline(event, bytesMax, signal), aborted(signal)]);
      return image !== undefined && image.bytes.byteLength <= bytesMax ? image : undefined;
    } catch {
      // Whatever failed, the event itself is worth more than its picture.
      return undefined;
    } finally {
      leave();
    }
  }

  return {
    async load(event, signal) {
      const deadline = new AbortController();
      const giveUp = (): void => deadline.abort();
      const timer = setTimeout(giveUp, timeoutMs);
      signal.addEventListener('abort', giveUp, { once: true });
      if (signal.aborted) giveUp();
      try {
        const image = await Promise.race([inTurn(event, deadline.signal), aborted(deadline.signal)]);
        if (image === undefined) counters.inlineMissed += 1;
        return image;
      } finally {
        clearTimeout(timer);
        signal.removeEventListener('abort', giveUp);
      }
    },
  };
}
