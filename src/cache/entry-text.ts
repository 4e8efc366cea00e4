/**
 * An entry as text, for tiers outside this process. What comes back is checked: files and replies were
 * written by another run, another version, or somebody else.
 */
import { z } from 'zod';
import type { Entry } from '../core/entry.ts';
import type { JsonValue } from '../core/json.ts';

const count = z.int().min(0);
const json: z.ZodType<JsonValue> = z.json();

const SCHEMA = z.object({
  key: z.string().min(1),
  mime: z.string().min(1),
  version: z.string().min(1),
  bytes: count,
  storedAtMs: z.number(),
  expiresAtMs: z.number(),
  image: z
    .object({ width: count, height: count, frames: count, thumbhash: z.string(), thumbnail: z.string() })
    .exactOptional(),
  parent: z.string().exactOptional(),
  parentVersion: z.string().exactOptional(),
  topics: z.array(z.string()).exactOptional(),
  meta: z.record(z.string(), json).exactOptional(),
  origin: z.object({ etag: z.string(), freshUntilMs: z.number() }).exactOptional(),
  undigested: z.literal(true).exactOptional(),
});

export function writeEntryText(entry: Entry): string {
  return JSON.stringify(entry);
}

/** Undefined: not an entry. */
export function readEntryText(text: string): Entry | undefined {
  try {
    const result = SCHEMA.safeParse(JSON.parse(text));
    return result.success ? result.data : undefined;
  } catch {
    return undefined;
  }
}
