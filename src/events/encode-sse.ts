/** Frames of `text/event-stream`. Names and reasons are checked before they come here; JSON has no line ends. */
import { controlFrame, type Encoder } from './encoder.ts';
import { eventFields } from './event-fields.ts';

export const encodeSse: Encoder = {
  event(event, inline, image) {
    const data = JSON.stringify(eventFields(event, inline, image, false));
    return {
      bytes: Buffer.from(`id: ${event.cursor}\nevent: ${event.name}\ndata: ${data}\n\n`),
      binary: false,
      kind: event.kind,
      imageId: event.data.id,
    };
  },
  gap(reason, cursor) {
    const id = cursor === '' ? '' : `id: ${cursor}\n`;
    return controlFrame(`${id}event: gap\ndata: ${JSON.stringify({ reason })}\n\n`);
  },
  // A block without data dispatches nothing, but moves the last event id of an EventSource.
  heartbeat: (cursor) => controlFrame(cursor === '' ? ':\n\n' : `:\nid: ${cursor}\n\n`),
  close: (reason) => controlFrame(`event: close\ndata: ${JSON.stringify({ reason })}\n\n`),
};
