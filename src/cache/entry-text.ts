/**
 * An entry as text, for tiers outside this process. What comes back is checked: files and replies were
 * written by another run, another version, or somebody else.
 */
import { z } from 'zod';
import type { Entry, ImageFacts, OriginMark } from '../core/entry.ts';
import type { JsonValue } from '../core/json.ts';

const count = z.int().min(0);
const json: z.ZodType<JsonValue> = z.json();

// `satisfies`: a field that is added to an entry and not here would be lost on disk without a word.
const IMAGE = {
  width: count,
  height: count,
  frames: count,
  thumbhash: z.string(),
  thumbnail: z.string(),
} satisfies Record<keyof ImageFacts, z.ZodType>;

const ORIGIN = {
  etag: z.string(),
  freshUntilMs: z.number(),
  staleUntilMs: z.number(),
} satisfies Record<keyof OriginMark, z.ZodType>;

const SCHEMA = z.object({
  key: z.string().min(1),
  mime: z.string().min(1),
  version: z.string().min(1),
  bytes: count,
  storedAtMs: z.number(),
  expiresAtMs: z.number(),
  image: z.object(IMAGE).exactOptional(),
  parent: z.string().exactOptional(),
  parentVersion: z.string().exactOptional(),
  topics: z.array(z.string()).exactOptional(),
  meta: z.record(z.string(), json).exactOptional(),
  origin: z.object(ORIGIN).exactOptional(),
  undigested: z.literal(true).exactOptional(),
} satisfies Record<keyof Entry, z.ZodType>);

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
