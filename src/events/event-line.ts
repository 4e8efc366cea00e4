/**
 * The events of one mode on their way out, in order, and the images that some of them wait for. A
 * partial that still waits for its image gives way to what comes after it.
 */
import type { ImageEvent } from '../core/event.ts';
import type { FrameMaker } from './frame-maker.ts';
import type { Frame } from './sink.ts';

export interface LineEntry {
  readonly event: ImageEvent;
  frame: Frame | undefined;
  /** Set while its image is loaded. */
  load: AbortController | undefined;
  /** A newer event of its image is behind it: nobody needs this one. */
  replaced: boolean;
}

export interface EventLine {
  length(): number;
  first(): LineEntry | undefined;
  all(): readonly LineEntry[];
  /** `wanted`: somebody follows it, so that its image is worth loading. */
  push(event: ImageEvent, wanted: boolean): void;
  /** The first so many are on their way out: nothing replaces them any more. */
  begin(count: number): void;
  /** Takes the first so many out. */
  shift(count: number): readonly LineEntry[];
}

export interface EventLineOptions {
  readonly maker: FrameMaker;
  /** Whether entries may have to wait, and partials among them be replaced. */
  readonly carriesImages: boolean;
  readonly onReady: () => void;
  readonly onReplaced: () => void;
}

/** Events that may wait for their image; beyond it the oldest goes out without. */
const LOADING_MAX = 256;

export function createEventLine({ maker, carriesImages, onReady, onReplaced }: EventLineOptions): EventLine {
  const line: LineEntry[] = [];
  /** The partial of each image that could be replaced. */
  const partials = new Map<string, LineEntry>();

  async function waitFor(entry: LineEntry, load: AbortController, frame: Promise<Frame>): Promise<void> {
    entry.load = load;
    entry.frame = await frame;
    entry.load = undefined;
    onReady();
  }

  function startLoad(entry: LineEntry): void {
    const load = new AbortController();
    const frame = maker.make(entry.event, load.signal);
    if (frame instanceof Promise) void waitFor(entry, load, frame);
    else entry.frame = frame;
  }

  function replacePartial(entry: LineEntry): void {
    const { id } = entry.event.data;
    const older = partials.get(id);
    if (older !== undefined) {
      older.replaced = true;
      older.load?.abort();
      partials.delete(id);
      onReplaced();
    }
    if (entry.event.kind === 'partial') partials.set(id, entry);
  }

  return {
    length: () => line.length,
    first: () => line[0],
    all: () => line,
    push(event, wanted) {
      const entry: LineEntry = { event, frame: undefined, load: undefined, replaced: false };
      line.push(entry);
      if (!carriesImages) return;
      replacePartial(entry);
      if (wanted) startLoad(entry);
      if (line.length > LOADING_MAX) line.find(({ load }) => load?.signal.aborted === false)?.load?.abort();
    },
    begin(count) {
      for (const entry of line.slice(0, count)) {
        const { id } = entry.event.data;
        if (partials.get(id) === entry) partials.delete(id);
      }
    },
    shift: (count) => line.splice(0, count),
  };
}
