/**
 * How far this instance has read the stream, and whether what it has not read can still be read. Pure.
 */
import { compareCursors } from '../core/cursor.ts';
import type { StreamState } from './event-stream.ts';

/** What a reader finds of the stream when it comes back to it. */
export type Standing =
  /** What comes next is there. */
  | 'whole'
  /** Some of what comes next was trimmed. */
  | 'behind'
  /** The stream ends before where this reader is: another history, or one that lost its end. */
  | 'rewound'
  /** There is no stream. */
  | 'gone';

export interface StreamPosition {
  readonly id: string;
  /** Events that ever were in the stream, up to here; undefined: not counted. */
  readonly ordinal: number | undefined;
}

export function positionOf(state: StreamState | undefined, emptyId: string): StreamPosition {
  return { id: state?.lastId ?? emptyId, ordinal: state === undefined ? 0 : state.added };
}

export function advance(position: StreamPosition, id: string): StreamPosition {
  return { id, ordinal: position.ordinal === undefined ? undefined : position.ordinal + 1 };
}

export function standingOf(position: StreamPosition, state: StreamState | undefined): Standing {
  // Nothing was ever in it, as far as this reader got.
  if (state === undefined) return position.ordinal === 0 ? 'whole' : 'gone';
  const { added, firstId, length } = state;
  const isOther = added !== undefined && position.ordinal !== undefined && added < position.ordinal;
  if (isOther || compareCursors(state.lastId, position.id) < 0) return 'rewound';
  const skipped = added === undefined || position.ordinal === undefined ? 0 : added - position.ordinal;
  if (compareCursors(state.lastId, position.id) === 0) return skipped > 0 ? 'behind' : 'whole';
  // As long as something at or before the position is left, nothing after it was trimmed.
  if (firstId !== undefined && compareCursors(firstId, position.id) <= 0) return 'whole';
  if (added === undefined || position.ordinal === undefined) return 'behind';
  return skipped > length ? 'behind' : 'whole';
}
