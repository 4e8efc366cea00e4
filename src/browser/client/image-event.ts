/**
 * What a page gets to read of an event, and the few rules on cursors and topics that the client needs.
 * The words are those of docs/protocol.md; nothing here opens a connection.
 */

export interface ImageEvent {
  /** `image.ready`, `image.partial`, … or the name that the producer gave. */
  readonly name: string;
  /** Where the event stands in time: hand it to `since` to go on from here. */
  readonly cursor: string;
  /** `full`, resolved against the server; absent where the event has no bytes. */
  readonly url?: string;
  readonly id: string;
  readonly version?: string;
  readonly mime?: string;
  readonly bytes?: number;
  readonly width?: number;
  readonly height?: number;
  readonly topics: readonly string[];
  readonly full?: string;
  readonly thumbhash?: string;
  /** data: URL of at most 64 px. */
  readonly thumbnail?: string;
  /** data: URL, with `inline: 'full'` and where the image fits `inlineMax`. */
  readonly image_data?: string;
  /** The same as bytes, over a WebSocket. */
  readonly image_blob?: Blob;
  readonly partial_index?: number;
  readonly reason?: string;
  readonly meta?: Readonly<Record<string, unknown>>;
}

function parts(cursor: string): [number, number] {
  const [ms, sequence] = cursor.split('-', 2);
  return [Number(ms) || 0, Number(sequence) || 0];
}

/** Cursors compare by time, then by sequence; '' is before all. */
export function isAfter(a: string, b: string): boolean {
  const [aMs, aSequence] = parts(a);
  const [bMs, bSequence] = parts(b);
  return aMs > bMs || (aMs === bMs && aSequence > bSequence);
}

/** Whether everything that `topic` (itself a filter or not) matches is matched by `filter` too. */
export function covers(filter: string, topic: string): boolean {
  return filter.endsWith('*') ? topic.startsWith(filter.slice(0, -1)) : filter === topic;
}

/** A server takes 64 topics a stream by default; stay below. */
const TOPICS_MAX = 48;

/**
 * The fewest filters that cover all of them. Beyond what a server takes, neighbours become their common
 * prefix (`image:a`, `image:b`: `image:*`): more comes than was asked for, and the client leaves it aside.
 */
export function fewestFilters(filters: Iterable<string>): string[] {
  const all = [...new Set(filters)];
  const kept = all.filter((one) => !all.some((other) => other !== one && covers(other, one)));
  if (kept.length <= TOPICS_MAX) return kept;
  return fewestFilters(kept.map(widen));
}

/** `image:a/b` → `image:a/*` → `image:*` → `*`. */
function widen(filter: string): string {
  const stem = filter.replace(/[:/]?\*$/, '');
  return `${stem.slice(0, stem.search(/[:/][^:/]*$/) + 1)}*`;
}
