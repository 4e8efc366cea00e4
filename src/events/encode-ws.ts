/** Frames of the WebSocket: JSON text, or `[u32 BE length of JSON][JSON][image bytes]` where bytes go along. */
import type { ImageEvent } from '../core/event.ts';
import { controlFrame, type Encoder } from './encoder.ts';
import { eventFields } from './event-fields.ts';
import type { Frame, InlineImage, InlineMode } from './sink.ts';

const LENGTH_BYTES = 4;

function textOf(
  event: ImageEvent,
  inline: InlineMode,
  image: InlineImage | undefined,
  asBytes: boolean,
): string {
  const data = eventFields(event, inline, image, asBytes);
  return JSON.stringify({ type: 'event', event: event.name, cursor: event.cursor, data });
}

function eventFrame(event: ImageEvent, bytes: Uint8Array, binary: boolean): Frame {
  return { bytes, binary, kind: event.kind, imageId: event.data.id };
}

function serverEvent(event: string, reason: string, cursor: string): Frame {
  const position = cursor === '' ? {} : { cursor };
  return controlFrame(JSON.stringify({ type: 'event', event, ...position, data: { reason } }));
}

export const encodeWsJson: Encoder = {
  event: (event, inline, image) => eventFrame(event, Buffer.from(textOf(event, inline, image, false)), false),
  gap: (reason, cursor) => serverEvent('gap', reason, cursor),
  // A ping of the protocol is invisible to a page's script.
  heartbeat: (cursor) =>
    controlFrame(JSON.stringify({ type: 'position', ...(cursor === '' ? {} : { cursor }) })),
  close: (reason) => serverEvent('close', reason, ''),
};

export const encodeWsBinary: Encoder = {
  ...encodeWsJson,
  event(event, inline, image) {
    if (image === undefined) return encodeWsJson.event(event, inline, image);
    const json = Buffer.from(textOf(event, inline, image, true));
    const bytes = Buffer.allocUnsafe(LENGTH_BYTES + json.byteLength + image.bytes.byteLength);
    bytes.writeUInt32BE(json.byteLength);
    bytes.set(json, LENGTH_BYTES);
    bytes.set(image.bytes, LENGTH_BYTES + json.byteLength);
    return eventFrame(event, bytes, true);
  },
};
