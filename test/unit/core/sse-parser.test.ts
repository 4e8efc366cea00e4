import { expect, test } from 'vitest';
import { createSseParser } from '../../../src/core/sse-parser.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

test('an event is there once its empty line has come', () => {
  const parser = createSseParser(1000);
  expect(parser.push(bytes('event: a\ndata: 1\n'))).toEqual([]);
  expect(parser.push(bytes('\n'))).toEqual([{ name: 'a', data: '1' }]);
});

test('lines may end in LF, CR LF or CR, also cut between the two', () => {
  const parser = createSseParser(1000);
  expect(parser.push(bytes('data: 1\r\n\r'))).toEqual([{ name: '', data: '1' }]);
  expect(parser.push(bytes('\ndata: 2\r\r'))).toEqual([{ name: '', data: '2' }]);
  expect(parser.push(bytes('data: 3\n\n'))).toEqual([{ name: '', data: '3' }]);
});

test('several data lines are one text, comments and unknown fields are passed over', () => {
  const parser = createSseParser(1000);
  const text = ': keepalive\nid: 7\ndata: a\ndata:b\nretry: 5\n\n';
  expect(parser.push(bytes(text))).toEqual([{ name: '', data: 'a\nb' }]);
});

test('a name belongs to its own event only', () => {
  const parser = createSseParser(1000);
  expect(parser.push(bytes('event: a\ndata: 1\n\ndata: 2\n\n'))).toEqual([
    { name: 'a', data: '1' },
    { name: '', data: '2' },
  ]);
});

test('an event over the limit is refused, in one line or in many', () => {
  expect(() => createSseParser(10).push(bytes('data: 01234567'))).toThrow('stream_invalid');
  const parser = createSseParser(20);
  parser.push(bytes('data: 0123\n'));
  expect(() => parser.push(bytes('data: 0123\ndata: 0123\n'))).toThrow('stream_invalid');
});

test('the limit is of one event, not of the stream', () => {
  const parser = createSseParser(12);
  for (let count = 0; count < 50; count += 1) {
    expect(parser.push(bytes('data: 01\n\n'))).toHaveLength(1);
  }
});
