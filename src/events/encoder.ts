/** What a transport's encoding does. Encoders are pure: an event in, the bytes of its frame out. */
import type { ImageEvent } from '../core/event.ts';
import type { GapReason } from './bus.ts';
import type { CloseReason, Frame, InlineImage, InlineMode } from './sink.ts';

export interface Encoder {
  event(event: ImageEvent, inline: InlineMode, image: InlineImage | undefined): Frame;
  gap(reason: GapReason, cursor: string): Frame;
  /** Where the stream stands, without an event: whoever resumes from there misses nothing. '' leaves it open. */
  heartbeat(cursor: string): Frame;
  close(reason: CloseReason): Frame;
}

export function controlFrame(text: string): Frame {
  return { bytes: Buffer.from(text), binary: false, kind: 'control', imageId: '' };
}
