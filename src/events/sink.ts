/**
 * The seam between a subscriber and its transport (SSE, WebSocket). The transport only moves bytes and
 * says how that went; what is sent, kept back or dropped is the subscriber's decision.
 */

/** `sent`: gone to the kernel. `buffered`: taken, but write nothing more until onDrain. `dead`: gone. */
export type SendOutcome = 'sent' | 'buffered' | 'dead';

export interface Sink {
  /** One frame, ready to send; shared between subscribers, never changed. */
  send(frame: Uint8Array): SendOutcome;
  /** Ends the stream, telling the reader why where the transport can. Calls onClose of the subscriber once. */
  end(reason: CloseReason): void;
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
