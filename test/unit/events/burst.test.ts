import { describe, expect, it } from 'vitest';
import { createBurst, type Burst } from '../../../src/events/burst.ts';
import type { LineEntry } from '../../../src/events/event-line.ts';
import { finalOf } from '../../fixtures/events.ts';

const KIB = 1024;

interface Listed extends LineEntry {
  readonly followers: readonly string[];
  readonly bytes: number;
}

function entry(id: string, followers: readonly string[], bytes = 100): Listed {
  const event = { ...finalOf(id), cursor: `1-${id}`, topics: [`image:${id}`] };
  return { event, frame: undefined, load: undefined, replaced: false, followers, bytes };
}

function burstOf(line: readonly Listed[]): { burst: Burst<string>; made: string[] } {
  const made: string[] = [];
  const burst = createBurst<string>(
    line,
    (one) => (one as Listed).followers,
    (one) => {
      made.push(one.event.data.id);
      const bytes = Buffer.alloc((one as Listed).bytes);
      return (one.frame ??= { bytes, binary: false, kind: 'final', imageId: one.event.data.id });
    },
  );
  return { burst, made };
}

const idsOf = (burst: Burst<string>, recipient: string): string[] =>
  burst.shareOf(recipient).entries.map(({ event }) => event.data.id);

describe('createBurst', () => {
  it('gives each recipient what it follows, in order, and the same share to all who follow the same', () => {
    const { burst } = burstOf([entry('1', ['x', 'y', 'z']), entry('2', ['z']), entry('3', ['y', 'x', 'w'])]);
    expect(burst.length).toBe(3);
    expect(burst.recipients).toEqual(['x', 'y', 'z', 'w']);
    expect(['x', 'y', 'z', 'w'].map((one) => idsOf(burst, one))).toEqual([
      ['1', '3'],
      ['1', '3'],
      ['1', '2'],
      ['3'],
    ]);
    expect(burst.shareOf('x')).toBe(burst.shareOf('y'));
    expect(burst.shareOf('x').frames.map(({ imageId }) => imageId)).toEqual(['1', '3']);
    expect(burst.shareOf('w').frames).toEqual([]);
  });

  it('ends before an entry that is not ready, and passes over one that was replaced', () => {
    const loading = { ...entry('3', ['x']), load: new AbortController() };
    const replaced = { ...entry('2', ['x']), load: new AbortController(), replaced: true };
    const { burst } = burstOf([entry('1', ['x']), replaced, loading, entry('4', ['x'])]);
    expect(burst.length).toBe(2);
    expect(idsOf(burst, 'x')).toEqual(['1']);
  });

  it('takes no more bytes and entries than a slow reader may have to buffer at once', () => {
    const small = Array.from({ length: 100 }, (_, index) => entry(String(index), ['x']));
    expect(burstOf(small).burst.length).toBe(30);
    const middle = Array.from({ length: 10 }, (_, index) => entry(String(index), ['x'], 10 * KIB));
    expect(burstOf(middle).burst.length).toBe(3);
  });

  it('lets a large frame go alone, wherever it stands', () => {
    const [large, small] = [entry('large', ['x'], 500 * KIB), entry('small', ['x'])];
    expect(burstOf([large, small]).burst.length).toBe(1);
    expect(burstOf([small, large]).burst.length).toBe(1);
  });

  it('makes no frame of an event that nobody follows, nor of one that is alone', () => {
    const unwanted = burstOf([entry('1', []), entry('2', [])]);
    expect([unwanted.burst.length, unwanted.burst.recipients, unwanted.made]).toEqual([2, [], []]);
    expect(burstOf([entry('1', ['x'])]).made).toEqual([]);
  });
});
