import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createWholeReplies } from '../../../src/redis/whole-replies.ts';

const LIMIT = 100_000;

/** What comes out when it arrives in pieces of these sizes, in turn. */
function through(sent: Buffer, sizes: readonly number[]): Buffer[] {
  const given: Buffer[] = [];
  const replies = createWholeReplies(LIMIT, (piece) => given.push(piece));
  // One buffer for all, as a socket's: what was given must not lie in it.
  const receive = Buffer.alloc(Math.max(...sizes));
  for (let at = 0, turn = 0; at < sent.length; turn += 1) {
    const size = Math.min(sizes[turn % sizes.length] ?? 1, sent.length - at);
    sent.copy(receive, 0, at, at + size);
    replies.take(receive.subarray(0, size));
    receive.fill(0xff);
    at += size;
  }
  return given;
}

const value = (bytes: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n')]);
const filled = (bytes: number, byte = 0x24): Buffer => Buffer.alloc(bytes, byte);

describe('createWholeReplies', () => {
  it('gives a large value in one piece, whose buffer holds it and its line end only', () => {
    const body = filled(50_000);
    const sent = Buffer.concat([Buffer.from('+OK\r\n*2\r\n'), value(body), Buffer.from(':12\r\n')]);
    const given = through(sent, [1000]);
    const large = given.filter((piece) => piece.length >= 50_000);
    expect(large).toHaveLength(1);
    expect(large[0]?.subarray(0, 50_000)).toEqual(body);
    expect([large[0]?.byteOffset, large[0]?.buffer.byteLength]).toEqual([0, 50_002]);
    expect(Buffer.concat(given)).toEqual(sent);
  });

  it('keeps what stands before a large value ahead of it, and what follows it behind', () => {
    const sent = Buffer.concat([Buffer.from(':7\r\n'), value(filled(5000)), Buffer.from('-ERR no\r\n')]);
    const [before, large, after] = through(sent, [sent.length]);
    expect(String(before)).toBe(':7\r\n$5000\r\n');
    expect(large).toHaveLength(5002);
    expect(String(after)).toBe('-ERR no\r\n');
  });

  it('does not take the inside of a value for a reply', () => {
    const sly = value(Buffer.from('\r\n$90000\r\n'));
    const sent = Buffer.concat([sly, value(Buffer.concat([sly, filled(6000, 0x0a)])), sly]);
    const given = through(sent, [7]);
    expect(Buffer.concat(given)).toEqual(sent);
    expect(Math.max(...given.map((piece) => piece.length))).toBe(6000 + sly.length + 2);
  });

  it('gives a value over the limit as it arrives, and holds nothing of it', () => {
    const sent = value(filled(LIMIT + 1));
    const given = through(sent, [10_000]);
    expect(Math.max(...given.map((piece) => piece.length))).toBe(10_000);
    expect(Buffer.concat(given)).toEqual(sent);
  });

  it('holds nothing for a length that is none', () => {
    for (const line of [
      '$-1\r\n',
      '$\r\n',
      '*-1\r\n',
      `$${'9'.repeat(400)}\r\n`,
      '*50000\r\n',
      ':50000\r\n',
    ]) {
      const sent = Buffer.from(`${line}+PONG\r\n`);
      expect(String(Buffer.concat(through(sent, [3])))).toBe(sent.toString());
    }
  });

  it('loses, adds and reorders no byte, however it is cut up', () => {
    const reply = fc.oneof(
      fc.constantFrom(
        '+OK\r\n',
        ':-5\r\n',
        '$-1\r\n',
        '*-1\r\n',
        '*3\r\n',
        '-WRONGTYPE 50000\r\n',
        '$0\r\n\r\n',
      ),
      fc.tuple(fc.integer({ min: 0, max: 20_000 }), fc.integer({ min: 0, max: 255 })),
    );
    const sizes = fc.array(fc.integer({ min: 1, max: 9000 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(fc.array(reply, { maxLength: 8 }), sizes, (replies, cuts) => {
        const sent = Buffer.concat(
          replies.map((one) => (typeof one === 'string' ? Buffer.from(one) : value(filled(...one)))),
        );
        const given = through(sent, cuts);
        const large = replies.filter((one) => typeof one !== 'string' && one[0] >= 9000);
        expect(Buffer.concat(given).equals(sent)).toBe(true);
        expect(given.filter((piece) => piece.length > 9000)).toHaveLength(large.length);
      }),
      { seed: 20_261_121, numRuns: 300 },
    );
  });
});
