/**
 * The seam between a subscriber and its transport (SSE, WebSocket). The transport only moves bytes and
 * says how that went; what is sent, kept back or dropped is the subscriber's decision.
 */
import type { EventKind } from '../core/event.ts';

/** What goes out in one piece; shared between subscribers, never changed. */
export interface Frame {
  readonly bytes: Uint8Array;
  /** A binary message of a WebSocket; of no meaning to SSE. */
  readonly binary: boolean;
  /** `control`: of the stream itself (gap, heartbeat, answers), not of an image. */
  readonly kind: EventKind | 'control';
  /** Waiting partials of one image conflate. '' for control. */
  readonly imageId: string;
}

/**
 * `sent`: taken. `buffered`: taken, but send nothing more until Subscriber.drained. `refused`: not taken
 * and never will be. `dead`: the reader is gone.
 */
export type SendOutcome = 'sent' | 'buffered' | 'refused' | 'dead';

export interface Sink {
  send(frame: Frame): SendOutcome;
  /** Frames that came at once, in few system calls. One answer for all: `buffered` where any of them is. */
  sendAll(frames: readonly Frame[]): SendOutcome;
  /** About once a second while the reader takes nothing: deadlines are the subscriber's, not the transport's. */
  hold(): void;
  /** Sends `farewell` where the transport can, and ends the stream. The sink calls nothing afterwards. */
  end(reason: CloseReason, farewell: Frame): void;
}

/** Why this server ends a stream. Reconnecting makes sense after each but `forbidden`. */
export type CloseReason = 'slow' | 'stalled' | 'shutdown' | 'lifetime' | 'expired' | 'forbidden' | 'failed';

export type InlineMode = 'none' | 'thumbnail' | 'full';

/** What the frames of one group of subscribers look like: an event is encoded once for each. */
export interface FrameMode {
  readonly transport: 'sse' | 'ws-json' | 'ws-binary';
  readonly inline: InlineMode;
  /** Bytes; 0 unless inline is `full`. Rounded down to a power of two, so that modes stay few. */
  readonly inlineMaxBytes: number;
}

/** The image of an event, small enough to travel in its frames. */
export interface InlineImage {
  readonly mime: string;
  readonly bytes: Uint8Array;
}
