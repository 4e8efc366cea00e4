import { expect, test } from 'vitest';
import * as fc from 'fast-check';
import { createSseParser } from '../../../../src/browser/client/sse-parser.ts';

function parse(pieces: readonly string[]) {
  const seen: unknown[] = [];
  const push = createSseParser({
    onEvent: (name, id, data) => seen.push({ name, id, data }),
    onId: (id) => seen.push({ id }),
    onRetry: (ms) => seen.push({ ms }),
  });
  for (const piece of pieces) push(piece);
  return seen;
}

const STREAM =
  'retry: 1500\nid: 7-0\n\n: heartbeat\n\nid: 8-0\nevent: image.ready\ndata: {"a":1}\n\nid:9-0\r\ndata: x\r\ndata:  y\r\n\r\nevent: odd\ndata\n\n';
const EVENTS = [
  { ms: 1500 },
  { id: '7-0' },
  { name: 'image.ready', id: '8-0', data: '{"a":1}' },
  { name: 'message', id: '9-0', data: 'x\n y' },
  { name: 'odd', id: '9-0', data: '' },
];

test('a stream is read as the HTML standard says: names, ids, several data lines, comments, retry', () => {
  expect(parse([STREAM])).toEqual(EVENTS);
});

test('where the network cuts a stream makes no difference', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(STREAM.length), { maxLength: 40 }), (cuts) => {
      const places = [0, ...cuts.toSorted((a, b) => a - b), STREAM.length];
      const pieces = places.slice(1).map((end, index) => STREAM.slice(places[index], end));
      expect(parse(pieces)).toEqual(EVENTS);
    }),
  );
});

test('an event that the end of the stream cuts off is not told', () => {
  expect(parse(['id: 1-0\nevent: image.ready\ndata: {"half":'])).toEqual([]);
});
