/** Modes of frames: which there are, and how few. Each costs an encoding of every event it matches. */
import type { FrameMode } from './sink.ts';

/** Below this no rendering is worth its place. */
const INLINE_MIN_BYTES = 256;

/** The mode in its canonical form: fewer modes, more shared frames. */
export function quantiseMode(mode: FrameMode): FrameMode {
  if (mode.inline !== 'full') {
    // Without an image there is nothing binary to send.
    const transport = mode.transport === 'ws-binary' ? 'ws-json' : mode.transport;
    return { transport, inline: mode.inline, inlineMaxBytes: 0 };
  }
  const inlineMaxBytes = 2 ** Math.floor(Math.log2(Math.max(mode.inlineMaxBytes, INLINE_MIN_BYTES)));
  return { ...mode, inlineMaxBytes };
}

export function modeKey({ transport, inline, inlineMaxBytes }: FrameMode): string {
  return `${transport} ${inline} ${inlineMaxBytes}`;
}
