/**
 * Has a thread of its own read the heads of a folder: it waits for the disk, so that nobody else does.
 * Started by the first question, ended by `close`; once it died or hung, questions fail at once.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { HeadReader, Inspected } from './disk-heads.ts';

export interface HeadsThreadOptions {
  readonly dir: string;
  /** The built workers/read-heads.ts. */
  readonly url: URL;
  readonly nice: number;
  /** Once, when it died or did not answer: whoever asks then has to do without. */
  readonly onLost: (error: unknown) => void;
}

/** What the thread is started with. */
export type HeadsThreadData = Pick<HeadsThreadOptions, 'dir' | 'nice'>;

/** Two milliseconds of the thread, and less than one of the loop that takes them into its index. */
const AT_ONCE = 128;
const DEADLINE_MS = 30_000;
const HEAP_MB = 64;

export function createHeadsThread({ url, onLost, ...data }: HeadsThreadOptions): HeadReader {
  /** Until it is closed: starting it again for every question would cost more than it spares. */
  let isLost = false;
  let thread: Worker | undefined;
  let asking: AbortController | undefined;

  async function end(): Promise<void> {
    const ending = thread;
    thread = undefined;
    await ending?.terminate();
  }

  function start(): Worker {
    const made = new Worker(url, { workerData: data, resourceLimits: { maxOldGenerationSizeMb: HEAP_MB } });
    made.unref();
    // Whoever asks hears of it; an error that nobody hears would end the process.
    made.on('error', () => undefined);
    made.once('exit', () => {
      if (thread === made) thread = undefined;
      asking?.abort();
    });
    return made;
  }

  async function read(names: readonly string[]): Promise<readonly (Inspected | 'failed')[]> {
    if (isLost) throw new Error('the thread was lost');
    thread ??= start();
    asking = new AbortController();
    const { signal } = asking;
    const timer = setTimeout(() => asking?.abort(), DEADLINE_MS);
    try {
      thread.postMessage(names);
      // read-heads.ts answers each list of names with as many of these.
      return (await once(thread, 'message', { signal }))[0] as (Inspected | 'failed')[];
    } catch (error) {
      isLost = true;
      onLost(error);
      await end();
      throw error;
    } finally {
      clearTimeout(timer);
      asking = undefined;
    }
  }

  async function close(): Promise<void> {
    await end();
    isLost = false;
  }

  return { atOnce: AT_ONCE, read, close };
}
