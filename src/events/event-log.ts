/**
 * One ordered stretch of history: of all events, or of one topic. Found by position, never by a scan.
 * A class, because there is one for every topic in history.
 */
import { compareCursors, CURSOR_ZERO } from '../core/cursor.ts';
import type { ImageEvent } from '../core/event.ts';

export interface HistoryRecord {
  readonly event: ImageEvent;
  /** Rises by one with each event: compares faster than a cursor. */
  readonly serial: number;
  readonly bytes: number;
  /** By a clock that is never set. */
  readonly madeAtMs: number;
}

/** Slots at the front that may be empty before the rest moves up. */
const SLACK = 64;

/** In the place of a record that is gone, so that the log does not keep it alive until it moves up. */
const GONE: HistoryRecord = {
  event: {
    name: '',
    kind: 'final',
    cursor: CURSOR_ZERO,
    data: { id: '', topics: [] },
    topics: [],
    thumbnail: '',
    bodyKey: '',
  },
  serial: 0,
  bytes: 0,
  madeAtMs: 0,
};

/** Index of the first record from `from` on that `isAfter` holds for; they are ordered by it. */
function firstIndex(
  records: readonly HistoryRecord[],
  from: number,
  isAfter: (record: HistoryRecord) => boolean,
): number {
  let low = from;
  let high = records.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const record = records[middle];
    if (record !== undefined && isAfter(record)) high = middle;
    else low = middle + 1;
  }
  return low;
}

export class EventLog {
  /** The newest event that was here and is gone: whoever stands before it has missed something. */
  lostThrough: string;
  private records: HistoryRecord[] = [];
  private head = 0;

  constructor(lostThrough: string = CURSOR_ZERO) {
    this.lostThrough = lostThrough;
  }

  get size(): number {
    return this.records.length - this.head;
  }

  get first(): HistoryRecord | undefined {
    return this.records[this.head];
  }

  push(record: HistoryRecord): void {
    this.records.push(record);
  }

  /** Drops the oldest, which is then lost. */
  dropFirst(): void {
    const { first } = this;
    if (first === undefined) return;
    this.lostThrough = first.event.cursor;
    this.records[this.head] = GONE;
    this.head += 1;
    if (this.head <= SLACK || this.head < this.records.length / 2) return;
    this.records = this.records.slice(this.head);
    this.head = 0;
  }

  /** Takes out what a newer event has replaced: nobody misses it. */
  remove(record: HistoryRecord): void {
    const index = firstIndex(this.records, this.head, ({ serial }) => serial >= record.serial);
    if (this.records[index] === record) this.records.splice(index, 1);
  }

  /** The serial of the newest event at or before the cursor, among those that are here. */
  serialAt(cursor: string): number {
    const index = firstIndex(
      this.records,
      this.head,
      ({ event }) => compareCursors(event.cursor, cursor) > 0,
    );
    return (this.records[index]?.serial ?? Number.MAX_SAFE_INTEGER) - 1;
  }

  after(serial: number): readonly HistoryRecord[] {
    return this.records.slice(firstIndex(this.records, this.head, (record) => record.serial > serial));
  }
}
