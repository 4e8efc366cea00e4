/**
 * An event as an entry of the stream: references and the thumbnail, never the image. What comes back was
 * written by another instance, perhaps of another version: it is checked.
 */
import { z } from 'zod';
import type { EventData, EventDraft, ImageEvent } from '../core/event.ts';
import { isObject, type JsonObject } from '../core/json.ts';
import { imageTopic } from '../core/topic.ts';

export interface EventEntry {
  readonly event: ImageEvent;
  /** Which instance published it, and its number there: the same in the stream and before. */
  readonly origin: string;
}

const count = z.int().min(0);

// `satisfies`: a field that is added to events and not here would be lost between instances without a word.
const DATA = z.object({
  id: z.string().min(1),
  version: z.string().exactOptional(),
  mime: z.string().exactOptional(),
  bytes: count.exactOptional(),
  width: count.exactOptional(),
  height: count.exactOptional(),
  topics: z.array(z.string()),
  full: z.string().exactOptional(),
  thumbhash: z.string().exactOptional(),
  partial_index: count.exactOptional(),
  reason: z.string().exactOptional(),
  // Parsed from JSON a moment ago: that it is an object is all that is left to check.
  meta: z.custom<JsonObject>(isObject).exactOptional(),
} satisfies Record<keyof EventData, z.ZodType>);

const DRAFT = z.object({
  name: z.string().min(1),
  kind: z.enum(['partial', 'final']),
  data: DATA,
  thumbnail: z.string(),
  bodyKey: z.string(),
} satisfies Record<keyof EventDraft, z.ZodType>);

export function asEvent(draft: EventDraft, cursor: string): ImageEvent {
  const topics = [...new Set([imageTopic(draft.data.id), ...draft.data.topics])];
  return { ...draft, cursor, topics };
}

export function writeEventFields(draft: EventDraft, origin: string): readonly string[] {
  const { name, kind, data, thumbnail, bodyKey } = draft;
  return ['origin', origin, 'event', JSON.stringify({ name, kind, data, thumbnail, bodyKey })];
}

/** Undefined: not an event. */
export function readEventFields(id: string, fields: readonly string[]): EventEntry | undefined {
  const [, origin = '', , text = ''] = fields;
  try {
    const draft = DRAFT.safeParse(JSON.parse(text));
    return draft.success ? { event: asEvent(draft.data, id), origin } : undefined;
  } catch {
    return undefined;
  }
}
