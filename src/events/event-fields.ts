/** The `data` of an event as one group of subscribers reads it: docs/protocol.md 2.1. */
import type { EventData, ImageEvent } from '../core/event.ts';
import type { InlineImage, InlineMode } from './sink.ts';

export interface EventFields extends EventData {
  /** data: URL of at most 64 px. */
  readonly thumbnail?: string;
  /** data: URL. */
  readonly image_data?: string;
  /** Of the bytes that follow the JSON in a binary frame. */
  readonly image_mime?: string;
}

/** A tiny image is its own thumbnail: never the same bytes twice. */
function isThumbnail(event: ImageEvent, image: InlineImage | undefined): boolean {
  if (image === undefined || Buffer.byteLength(event.thumbnail, 'base64') !== image.bytes.byteLength)
    return false;
  return Buffer.from(event.thumbnail, 'base64').equals(image.bytes);
}

function imageFields(image: InlineImage, asBytes: boolean): Pick<EventFields, 'image_mime' | 'image_data'> {
  if (asBytes) return { image_mime: image.mime };
  return { image_data: `data:${image.mime};base64,${Buffer.from(image.bytes).toString('base64')}` };
}

/** `asBytes`: the image stays out of the JSON and follows it as bytes. */
export function eventFields(
  event: ImageEvent,
  inline: InlineMode,
  image: InlineImage | undefined,
  asBytes: boolean,
): EventFields {
  const { meta, ...data } = event.data;
  const hasThumbnail = inline !== 'none' && event.thumbnail !== '' && !isThumbnail(event, image);
  return {
    ...data,
    ...(hasThumbnail ? { thumbnail: `data:image/webp;base64,${event.thumbnail}` } : {}),
    ...(image === undefined ? {} : imageFields(image, asBytes)),
    ...(meta === undefined ? {} : { meta }),
  };
}
