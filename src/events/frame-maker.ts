/** Makes the frames of one mode: each event once, with its image where the mode carries images. */
import type { ImageEvent } from '../core/event.ts';
import type { Encoder } from './encoder.ts';
import type { FrameCache } from './frame-cache.ts';
import { modeKey } from './frame-mode.ts';
import type { InlineLoader } from './inline-loader.ts';
import type { Frame, FrameMode } from './sink.ts';

export interface FrameMaker {
  /** Now, and without the image unless that came lately. */
  plain(event: ImageEvent): Frame;
  /** With its image; a promise only where that has to be loaded. Never rejects; an abort leaves the image out. */
  make(event: ImageEvent, signal: AbortSignal): Frame | Promise<Frame>;
}

export interface FrameMakerDeps {
  readonly encoder: Encoder;
  /** Undefined: frames of this mode carry no image. */
  readonly loader: InlineLoader | undefined;
  readonly frames: FrameCache;
}

export function createFrameMaker(mode: FrameMode, { encoder, loader, frames }: FrameMakerDeps): FrameMaker {
  const key = modeKey(mode);
  const loading = new Map<string, Promise<Frame>>();

  function plain(event: ImageEvent): Frame {
    const cacheKey = `${event.cursor} ${key}`;
    const known = frames.get(cacheKey);
    if (known !== undefined) return known;
    const frame = encoder.event(event, mode.inline, undefined);
    // Without its image it is not what a later reader should get.
    if (loader === undefined || event.bodyKey === '') frames.set(cacheKey, frame);
    return frame;
  }

  async function withImage(event: ImageEvent, images: InlineLoader, signal: AbortSignal): Promise<Frame> {
    const image = await images.load(event, signal);
    if (image === undefined) return plain(event);
    const frame = encoder.event(event, mode.inline, image);
    frames.set(`${event.cursor} ${key}`, frame);
    return frame;
  }

  return {
    plain,
    make(event, signal) {
      if (loader === undefined || event.bodyKey === '') return plain(event);
      const { cursor } = event;
      const known = frames.get(`${cursor} ${key}`) ?? loading.get(cursor);
      if (known !== undefined) return known;
      const promise = withImage(event, loader, signal).finally(() => loading.delete(cursor));
      loading.set(cursor, promise);
      return promise;
    },
  };
}
