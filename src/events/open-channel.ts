/** The channel of a mode, put together: its encoder, and a loader of images where it carries them. */
import type { Clock } from '../core/clock.ts';
import { createChannel, type Channel } from './channel.ts';
import { encodeSse } from './encode-sse.ts';
import { encodeWsBinary, encodeWsJson } from './encode-ws.ts';
import type { EventCounters } from './event-counters.ts';
import type { FrameCache } from './frame-cache.ts';
import { createInlineLoader, type LoadInline } from './inline-loader.ts';
import type { FrameMode } from './sink.ts';

export interface OpenChannelDeps {
  readonly loadInline: LoadInline;
  readonly inlineTimeoutMs: number;
  readonly frames: FrameCache;
  readonly counters: EventCounters;
  readonly clock: Clock;
  readonly onReady: () => void;
}

const ENCODERS = { sse: encodeSse, 'ws-json': encodeWsJson, 'ws-binary': encodeWsBinary } as const;
const LOADS_AT_ONCE = 4;

/** `start`: the newest event that was published. */
export function openChannel(mode: FrameMode, start: string, deps: OpenChannelDeps): Channel {
  const { frames, counters, clock, onReady, loadInline } = deps;
  const limits = {
    bytesMax: mode.inlineMaxBytes,
    concurrency: LOADS_AT_ONCE,
    timeoutMs: deps.inlineTimeoutMs,
  };
  const loader = mode.inline === 'full' ? createInlineLoader(limits, loadInline, counters) : undefined;
  return createChannel(mode, start, {
    encoder: ENCODERS[mode.transport],
    loader,
    frames,
    counters,
    clock,
    onReady,
  });
}
