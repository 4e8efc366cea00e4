/** The sink of an event stream over a WebSocket. Nothing is dropped in silence: each send is checked. */
import type { WebSocket } from 'uWebSockets.js';
import type { CloseReason, Frame, SendOutcome, Sink } from '../events/sink.ts';

export interface WsSink extends Sink {
  /** The socket has taken some of what was buffered. */
  onDrain(): void;
  /** The socket is gone and must not be touched any more. */
  onClose(): void;
}

export interface WsReader {
  drained(): boolean;
  progressed(): void;
  closed(): void;
}

/** As Centrifugo's: 3000 to 3499 connect again, 3500 and above don't. */
const CLOSE_CODES: Readonly<Record<CloseReason, number>> = {
  shutdown: 3001,
  failed: 3004,
  expired: 3005,
  slow: 3008,
  lifetime: 3011,
  stalled: 3012,
  forbidden: 3507,
};

/** What `send` gives when it did not take a message. */
const DROPPED = 2;

/** One closure for all: a fan-out makes hundreds of thousands a second. */
let corkedSocket: WebSocket<unknown> | undefined;
let corkedFrames: readonly Frame[] = [];
let wasDropped = false;

function sendCorked(): void {
  for (const { bytes, binary } of corkedFrames) {
    if (corkedSocket?.send(bytes, binary) === DROPPED) wasDropped = true;
  }
}

/** True: one of them was not taken. Uncorked, each message is a system call of its own. */
function dropsAny(ws: WebSocket<unknown>, frames: readonly Frame[]): boolean {
  corkedSocket = ws;
  corkedFrames = frames;
  wasDropped = false;
  ws.cork(sendCorked);
  corkedSocket = undefined;
  corkedFrames = [];
  return wasDropped;
}

export function openWsSink(ws: WebSocket<unknown>, reader: WsReader): WsSink {
  /** Closed or closing: the socket must not be touched any more. */
  let isGone = false;

  return {
    send(frame: Frame): SendOutcome {
      if (isGone) return 'dead';
      if (ws.send(frame.bytes, frame.binary) === DROPPED) return 'refused';
      return ws.getBufferedAmount() > 0 ? 'buffered' : 'sent';
    },
    sendAll(frames: readonly Frame[]): SendOutcome {
      if (isGone) return 'dead';
      if (dropsAny(ws, frames)) return 'refused';
      return ws.getBufferedAmount() > 0 ? 'buffered' : 'sent';
    },
    // The idle timeout is longer than any stall that we allow.
    hold: () => {},
    end(reason, farewell) {
      if (isGone) return;
      isGone = true;
      ws.cork(() => {
        ws.send(farewell.bytes, false);
        ws.end(CLOSE_CODES[reason], reason);
      });
    },
    onDrain() {
      reader.progressed();
      // What is buffered again by a send within the drain handler is never flushed (measured).
      setImmediate(() => {
        if (!isGone && ws.getBufferedAmount() === 0) reader.drained();
      });
    },
    onClose() {
      isGone = true;
      reader.closed();
    },
  };
}
