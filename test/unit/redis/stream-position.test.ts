import { describe, expect, it } from 'vitest';
import type { StreamState } from '../../../src/redis/event-stream.ts';
import { advance, positionOf, standingOf, type StreamPosition } from '../../../src/redis/stream-position.ts';

function state(more: Partial<StreamState>): StreamState {
  return { lastId: '20-0', firstId: '11-0', length: 10, added: 20, ...more };
}

const at = (id: string, ordinal: number | undefined): StreamPosition => ({ id, ordinal });

describe('where a reader stands in the stream', () => {
  it('is whole when its last entry, or an older one, is still there', () => {
    expect(standingOf(at('20-0', 20), state({}))).toBe('whole');
    expect(standingOf(at('12-0', 12), state({}))).toBe('whole');
    expect(standingOf(at('11-0', 11), state({}))).toBe('whole');
  });

  it('is whole when all that was trimmed had been read', () => {
    expect(standingOf(at('10-0', 10), state({}))).toBe('whole');
  });

  it('is behind when one entry that it had not read was trimmed', () => {
    expect(standingOf(at('9-0', 9), state({}))).toBe('behind');
    expect(standingOf(at('5-0', 5), state({ firstId: undefined, length: 0 }))).toBe('behind');
  });

  it('is behind when it reached the end with fewer entries than there were', () => {
    expect(standingOf(at('20-0', 19), state({}))).toBe('behind');
  });

  it('is behind, to be safe, where Redis does not count and its last entry is gone', () => {
    expect(standingOf(at('10-0', undefined), state({ added: undefined }))).toBe('behind');
    expect(standingOf(at('11-0', undefined), state({ added: undefined }))).toBe('whole');
  });

  it('is rewound when the stream ends before it, or has had fewer entries', () => {
    expect(standingOf(at('21-0', 20), state({}))).toBe('rewound');
    expect(standingOf(at('15-0', 30), state({}))).toBe('rewound');
  });

  it('is gone with the stream, unless nothing had ever been read', () => {
    expect(standingOf(at('20-0', 20), undefined)).toBe('gone');
    expect(standingOf(positionOf(undefined, '5-0'), undefined)).toBe('whole');
  });

  it('moves on with each entry', () => {
    expect(advance(positionOf(state({}), '0-0'), '21-0')).toEqual(at('21-0', 21));
    expect(advance(at('1-0', undefined), '2-0')).toEqual(at('2-0', undefined));
  });
});
