/**
 * Events of one mode that are ready at once, and who gets which of them: a reader is written to once for
 * all that it follows among them. Bounded, since for a reader that is slow all of it is buffered. Knows no
 * transport, and not what a subscriber makes of its share.
 */
import type { LineEntry } from './event-line.ts';
import type { Frame } from './sink.ts';

/** What a subscriber gets of a burst; one object for all who get the same. */
export interface Share {
  /** In cursor order; at least one. */
  readonly entries: readonly LineEntry[];
  /** Of all entries; empty where there is but one, whose frame is made when somebody takes it. */
  readonly frames: readonly Frame[];
}

export interface Burst<T> {
  /** How many of the line it took; at least one. */
  readonly length: number;
  readonly recipients: readonly T[];
  shareOf(recipient: T): Share;
}

/** One bit each in a small integer. */
const ENTRIES_MAX = 30;
/** Of the frames of a burst: more would only be more to buffer for a reader that is slow. */
const BYTES_MAX = 32 * 1024;
/** A larger frame goes alone: its bytes are the cost, not the call. */
const FRAME_BYTES_MAX = 12 * 1024;

function isReady({ load, replaced }: LineEntry): boolean {
  return load === undefined || replaced;
}

/** `line` begins with an entry that is ready. */
export function createBurst<T>(
  line: readonly LineEntry[],
  followersOf: (entry: LineEntry) => readonly T[],
  frameOf: (entry: LineEntry) => Frame,
): Burst<T> {
  /** Which entries each gets: a bit for each of them. */
  const parts = new Map<T, number>();
  const shares = new Map<number, Share>();
  /** Who gets the first entry: where it is the only one, nothing has to be sorted. */
  let first: readonly T[] = [];
  let length = 0;
  let bytes = 0;

  /** Whether there is room for it, beside those that were taken. */
  function fits(entry: LineEntry): boolean {
    const frameBytes = frameOf(entry).bytes.byteLength;
    bytes += frameBytes > FRAME_BYTES_MAX ? BYTES_MAX : frameBytes;
    return length === 0 || bytes <= BYTES_MAX;
  }

  function takes(entry: LineEntry): boolean {
    if (!isReady(entry)) return false;
    const followers = entry.replaced ? [] : followersOf(entry);
    if (followers.length > 0 && line.length > 1 && !fits(entry)) return false;
    if (length === 0) first = followers;
    else add(followers);
    return true;
  }

  function add(followers: readonly T[]): void {
    if (length === 1) for (const follower of first) parts.set(follower, 1);
    for (const follower of followers) parts.set(follower, (parts.get(follower) ?? 0) | (1 << length));
  }

  function share(part: number): Share {
    const entries = line.slice(0, length).filter((_entry, index) => (part & (1 << index)) !== 0);
    return { entries, frames: entries.length > 1 ? entries.map(frameOf) : [] };
  }

  for (const entry of line) {
    if (length === ENTRIES_MAX || !takes(entry)) break;
    length += 1;
  }
  if (length === 1) {
    const only: Share = { entries: line.slice(0, 1), frames: [] };
    return { length, recipients: first, shareOf: () => only };
  }
  return {
    length,
    recipients: [...parts.keys()],
    shareOf(recipient) {
      const part = parts.get(recipient) ?? 0;
      const known = shares.get(part) ?? share(part);
      shares.set(part, known);
      return known;
    },
  };
}
