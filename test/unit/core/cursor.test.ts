import { expect, test } from 'vitest';
import { compareCursors, CURSOR_ZERO, cursorTimeMs, isCursor, nextCursor } from '../../../src/core/cursor.ts';

test.each(['0-0', '1763672400123-0', '1-999999999999999'])('%j is a cursor', (text) => {
  expect(isCursor(text)).toBe(true);
});

test.each(['', '1', '-', '1-', '-1', '1-a', ' 1-0', '1-0\n', '1-0-0', '+', '$', '1234567890123456-0', '١-٢'])(
  '%j is none',
  (text) => {
    expect(isCursor(text)).toBe(false);
  },
);

test('order is by time, then by sequence, as numbers', () => {
  const ordered = [CURSOR_ZERO, '0-1', '9-0', '10-0', '10-9', '10-10', '1763672400123-0'];
  expect(ordered.toReversed().toSorted(compareCursors)).toEqual(ordered);
  expect(compareCursors('5-5', '5-5')).toBe(0);
});

test('the next cursor is later, whatever the clock does', () => {
  expect(nextCursor('5-3', 6)).toBe('6-0');
  expect(nextCursor('5-3', 5)).toBe('5-4');
  expect(nextCursor('5-3', 1)).toBe('5-4');
  expect(nextCursor(CURSOR_ZERO, 0)).toBe('0-1');
});

test('its time is when the event was made', () => {
  expect(cursorTimeMs('1763672400123-7')).toBe(1_763_672_400_123);
});
