/** Frames made lately, so that a crowd that reconnects at once shares them too. Bounded by bytes. */
import type { Frame } from './sink.ts';

export interface FrameCache {
  get(key: string): Frame | undefined;
  set(key: string, frame: Frame): void;
}

/** What a frame takes beyond its bytes: its key, its place in the map, the objects around it. */
const FRAME_BYTES = 512;

function costOf({ bytes }: Frame): number {
  return bytes.byteLength + FRAME_BYTES;
}

export function createFrameCache(limitBytes: number): FrameCache {
  /** Oldest first. */
  const frames = new Map<string, Frame>();
  let bytes = 0;
  return {
    get: (key) => frames.get(key),
    set(key, frame) {
      if (frames.has(key) || frame.bytes.byteLength > limitBytes / 8) return;
      frames.set(key, frame);
      bytes += costOf(frame);
      for (const [oldest, old] of frames) {
        if (bytes <= limitBytes) return;
        frames.delete(oldest);
        bytes -= costOf(old);
      }
    },
  };
}
