/**
 * What OpenAI's image streams say, as steps of images: the Images API (`image_generation.*`,
 * `image_edit.*`) and the Responses API (`response.image_generation_call.partial_image`, the finals in
 * `response.output_item.done`). Pure; the shapes are those of openai-node's resources/images.ts.
 */
import { z } from 'zod';
import { parseModestJson } from './json.ts';
import type { StreamedEvent } from './sse-parser.ts';

/** `slot` counts the images of one response from 0, in the order in which they first appear. */
export type ImageStep =
  | { readonly kind: 'partial'; readonly slot: number; readonly index: number; readonly base64: string }
  | { readonly kind: 'final'; readonly slot: number; readonly base64: string }
  | { readonly kind: 'failed'; readonly reason: string };

const Partial = z.object({ b64_json: z.string(), partial_image_index: z.number().int().min(0) });
const Completed = z.object({ b64_json: z.string() });
const CallPartial = z.object({
  item_id: z.string().default(''),
  partial_image_index: z.number().int().min(0),
  partial_image_b64: z.string(),
});
const ItemDone = z.object({
  item: z.object({
    type: z.literal('image_generation_call'),
    id: z.string().default(''),
    result: z.string(),
  }),
});
const Typed = z.object({ type: z.string() });

const FAILURES: ReadonlySet<string> = new Set(['error', 'response.failed', 'response.incomplete']);

export interface ImageStreamReader {
  /** Undefined: an event that says nothing about an image. */
  read(event: StreamedEvent): ImageStep | undefined;
}

function parseJson(text: string): unknown {
  try {
    return parseModestJson(text);
  } catch {
    return undefined;
  }
}

export function createImageStreamReader(): ImageStreamReader {
  const slotOfItem = new Map<string, number>();
  /** The Images API names no image: a completed one ends its slot, what follows is the next. */
  let openSlot = 0;

  const itemSlot = (item: string): number => {
    const slot = slotOfItem.get(item) ?? slotOfItem.size;
    slotOfItem.set(item, slot);
    return slot;
  };

  const readTyped = (type: string, body: unknown): ImageStep | undefined => {
    if (FAILURES.has(type) || type.endsWith('.failed')) return { kind: 'failed', reason: 'producer_error' };
    if (type === 'image_generation.partial_image' || type === 'image_edit.partial_image') {
      const { b64_json: base64, partial_image_index: index } = Partial.parse(body);
      return { kind: 'partial', slot: openSlot, index, base64 };
    }
    if (type === 'image_generation.completed' || type === 'image_edit.completed') {
      const { b64_json: base64 } = Completed.parse(body);
      openSlot += 1;
      return { kind: 'final', slot: openSlot - 1, base64 };
    }
    if (type === 'response.image_generation_call.partial_image') {
      const {
        item_id: item,
        partial_image_index: index,
        partial_image_b64: base64,
      } = CallPartial.parse(body);
      return { kind: 'partial', slot: itemSlot(item), index, base64 };
    }
    const done = type === 'response.output_item.done' ? ItemDone.safeParse(body) : undefined;
    if (done?.success !== true) return undefined;
    return { kind: 'final', slot: itemSlot(done.data.item.id), base64: done.data.item.result };
  };

  return {
    read(event) {
      const body = parseJson(event.data);
      const typed = Typed.safeParse(body);
      try {
        return readTyped(typed.success ? typed.data.type : event.name, body);
      } catch {
        // A known event of an unknown shape: the producer speaks another protocol than it says.
        return { kind: 'failed', reason: 'stream_invalid' };
      }
    },
  };
}
