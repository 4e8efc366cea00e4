import { describe, expect, it } from 'vitest';
import { compareCursors, isCursor, nextCursor } from '../../../src/core/cursor.ts';
import { isLocalCursor, nextLocalCursor } from '../../../src/redis/local-cursor.ts';

describe('a cursor that Redis did not give', () => {
  it('comes after every other of its time, and before what Redis gives later', () => {
    const cursor = nextLocalCursor('5000-7', 5000);
    expect(isCursor(cursor)).toBe(true);
    expect(compareCursors(cursor, '5000-999999')).toBeGreaterThan(0);
    expect(compareCursors(cursor, '5001-0')).toBeLessThan(0);
    expect(compareCursors(nextLocalCursor(cursor, 5000), cursor)).toBeGreaterThan(0);
    expect(compareCursors(nextLocalCursor(cursor, 4000), cursor)).toBeGreaterThan(0);
    expect(nextLocalCursor(cursor, 6000)).toMatch(/^6000-/);
  });

  it('can be told from one that Redis or a local bus gave', () => {
    expect(isLocalCursor(nextLocalCursor('5000-7', 6000))).toBe(true);
    expect(isLocalCursor('1763672400123-4095')).toBe(false);
    expect(isLocalCursor(nextCursor('5000-7', 6000))).toBe(false);
  });
});
