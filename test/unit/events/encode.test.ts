import { describe, expect, it } from 'vitest';
import type { ImageEvent } from '../../../src/core/event.ts';
import { encodeSse } from '../../../src/events/encode-sse.ts';
import { encodeWsBinary, encodeWsJson } from '../../../src/events/encode-ws.ts';
import { finalOf, TINY_WEBP } from '../../fixtures/events.ts';

const EVENT: ImageEvent = {
  ...finalOf('a', ['job:1'], {
    full: '/images/a?v=1',
    thumbhash: 'aGk=',
    meta: { line: 'one\ntwo\r\u2028three' },
  }),
  cursor: '5-1',
  topics: ['image:a', 'job:1'],
};
const IMAGE = { mime: 'image/webp', bytes: Buffer.from('pixels') };

const textOf = ({ bytes }: { bytes: Uint8Array }): string => Buffer.from(bytes).toString();

describe('encodeSse', () => {
  it('writes one block of three fields, whatever the producer put into meta', () => {
    const text = textOf(encodeSse.event(EVENT, 'thumbnail', undefined));
    expect(text.split('\n').map((line) => line.split(':')[0])).toEqual(['id', 'event', 'data', '', '']);
    expect(text).not.toContain('\r');
    const data = JSON.parse(text.slice(text.indexOf('data: ') + 6));
    expect(data.meta).toEqual({ line: 'one\ntwo\r\u2028three' });
  });

  it('has the fields of docs/protocol.md 2.1, in that order, and those of the producer alone as topics', () => {
    const text = textOf(encodeSse.event(EVENT, 'full', IMAGE));
    const data = JSON.parse(text.slice(text.indexOf('data: ') + 6));
    expect(Object.keys(data).slice(-5)).toEqual(['full', 'thumbhash', 'thumbnail', 'image_data', 'meta']);
    expect(data.topics).toEqual(['job:1']);
    expect(data).not.toHaveProperty('bodyKey');
  });

  it('leaves the id out where there is none', () => {
    expect(textOf(encodeSse.gap('evicted', ''))).toBe('event: gap\ndata: {"reason":"evicted"}\n\n');
    expect(textOf(encodeSse.gap('evicted', '5-1'))).toMatch(/^id: 5-1\nevent: gap\n/);
    expect(textOf(encodeSse.heartbeat(''))).toBe(':\n\n');
  });
});

describe('encodeWsJson and encodeWsBinary', () => {
  it('carry the same data, the image as text or as bytes', () => {
    const json = encodeWsJson.event(EVENT, 'full', IMAGE);
    const binary = encodeWsBinary.event(EVENT, 'full', IMAGE);
    const length = Buffer.from(binary.bytes).readUInt32BE(0);
    const bytes = Buffer.from(binary.bytes);
    const { image_data: text, ...data } = JSON.parse(textOf(json)).data;
    const { image_mime: mime, ...same } = JSON.parse(bytes.subarray(4, 4 + length).toString()).data;
    expect(same).toEqual(data);
    expect(text).toBe(`data:${mime};base64,${bytes.subarray(4 + length).toString('base64')}`);
    expect([json.binary, binary.binary]).toEqual([false, true]);
  });

  it('never carry the same bytes twice', () => {
    const tiny = { mime: 'image/webp', bytes: Buffer.from(TINY_WEBP, 'base64') };
    for (const encoder of [encodeSse, encodeWsJson, encodeWsBinary]) {
      expect(textOf(encoder.event(EVENT, 'full', tiny))).not.toContain('"thumbnail"');
    }
  });

  it('send text where there is no image', () => {
    expect(encodeWsBinary.event(EVENT, 'full', undefined)).toMatchObject({ binary: false, kind: 'final' });
  });
});
