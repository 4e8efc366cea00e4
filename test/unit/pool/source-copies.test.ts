import { expect, it } from 'vitest';
import type { JobRunner } from '../../../src/pool/job-runner.ts';
import { createSchedule } from '../../../src/pool/schedule.ts';
import { createSourceCopies, type SourceCopy } from '../../../src/pool/source-copies.ts';

const MIB = 1024 * 1024;

function bytesOf({ source, sourceBytes }: SourceCopy): number[] {
  return [...new Uint8Array(source, 0, sourceBytes)];
}

it('lends a buffer to one job after another, and never to two at once', () => {
  const copies = createSourceCopies(2);
  const first = copies.copy(Uint8Array.of(1, 2, 3));
  const second = copies.copy(Uint8Array.of(4, 5));
  expect([bytesOf(first), bytesOf(second)]).toEqual([
    [1, 2, 3],
    [4, 5],
  ]);
  expect([first.given, second.given]).toEqual([[], []]);
  first.giveBack();
  const third = copies.copy(Uint8Array.of(6));
  expect(third.source).toBe(first.source);
  expect([bytesOf(second), bytesOf(third)]).toEqual([[4, 5], [6]]);
});

it('keeps no more buffers than there are jobs at once', () => {
  const copies = createSourceCopies(1);
  const all = [1, 2, 3].map((byte) => copies.copy(Uint8Array.of(byte)));
  for (const copy of all) copy.giveBack();
  const [again, other] = [copies.copy(Uint8Array.of(4)), copies.copy(Uint8Array.of(5))];
  expect(again.source).toBe(all[0]?.source);
  expect(all.map(({ source }) => source)).not.toContain(other.source);
});

it('gives a large source away, in a buffer of its size', () => {
  const source = new Uint8Array(4 * MIB + 1).fill(7);
  const copy = createSourceCopies(1).copy(source);
  expect(copy.given).toEqual([copy.source]);
  expect([copy.source.byteLength, copy.sourceBytes]).toEqual([source.byteLength, source.byteLength]);
  expect(source[0]).toBe(7);
});

it('a thread that did not answer keeps what it was lent: it may be at work all the same', async () => {
  const outcomes = [Promise.reject(new Error('the thread ended')), Promise.resolve()];
  const runner: JobRunner = {
    run: async () => {
      await outcomes.shift();
      return { kind: 'refused', code: 'image_unreadable', detail: '' };
    },
    timeouts: () => 0,
    crashes: () => 0,
    close: async () => undefined,
  };
  const schedule = createSchedule(runner, 2, 4);
  const answered: string[] = [];
  const job = {
    kind: 'unwrap',
    form: 'raw',
    body: new Uint8Array(1),
    limits: { imageBytes: 1, pixels: 1 },
  } as const;
  const run = (name: string): Promise<unknown> =>
    schedule.render(
      () => ({ job, given: [], answered: () => answered.push(name) }),
      new AbortController().signal,
    );
  await expect(run('ended')).rejects.toThrow('the thread ended');
  await run('refused');
  expect(answered).toEqual(['refused']);
});
