import { describe, expect, it } from 'vitest';
import { unwrapImage, type BodyForm } from '../../../src/core/envelope.ts';
import { AppError } from '../../../src/errors.ts';

const LIMIT = 1 << 20;
const IMAGE = Buffer.from('not really an image, but bytes all the same');
const BASE64 = IMAGE.toString('base64');

function body(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

function unwrap(value: unknown, form: BodyForm = 'json', limitBytes = LIMIT) {
  return unwrapImage(body(typeof value === 'string' ? value : JSON.stringify(value)), form, limitBytes);
}

function codeOf(value: unknown, form: BodyForm = 'json', limitBytes = LIMIT): string | undefined {
  try {
    unwrap(value, form, limitBytes);
    return undefined;
  } catch (error) {
    return error instanceof AppError ? error.code : String(error);
  }
}

describe('unwrapImage', () => {
  it('hands a raw body back without a copy', () => {
    const raw = body('raw');
    expect(unwrapImage(raw, 'raw', LIMIT).bytes).toBe(raw);
    expect(codeOf('raw', 'raw', 2)).toBe('image_too_large');
  });

  it.each(['base64_data', 'b64_json', 'image_data', 'data'])('finds the image in %s', (field) => {
    for (const text of [BASE64, `data:image/png;base64,${BASE64}`, `${BASE64}\n`]) {
      const { bytes, envelope } = unwrap({ [field]: text, mime_type: 'image/png', created: 1 });
      expect(Buffer.from(bytes)).toEqual(IMAGE);
      expect(bytes.buffer.byteLength).toBe(IMAGE.byteLength);
      expect(envelope).toEqual({});
    }
  });

  it('takes the first field that holds text, whatever else lies in the others', () => {
    const { bytes } = unwrap({ base64_data: '', b64_json: null, data: BASE64, image_data: { a: 1 } });
    expect(Buffer.from(bytes)).toEqual(IMAGE);
  });

  it('carries topics, ttl and meta', () => {
    const meta = { prompt: 'a häuschen', seed: 7, nested: { a: [1, null] } };
    const { envelope } = unwrap({ data: BASE64, topics: ['job:42'], ttl: 60, meta });
    expect(envelope).toEqual({ topics: ['job:42'], ttlS: 60, meta });
  });

  it('reads null as absent, as Python clients send it', () => {
    const { envelope } = unwrap({ data: BASE64, topics: null, ttl: null, meta: null, mime_type: null });
    expect(envelope).toEqual({});
  });

  it.each([
    ['text that is no JSON', 'json_invalid', '{"data": '],
    ['an array', 'json_invalid', [BASE64]],
    ['a string', 'json_invalid', JSON.stringify(BASE64)],
    ['null', 'json_invalid', 'null'],
    ['topics that are no list', 'json_invalid', { data: BASE64, topics: 'job:42' }],
    ['too many topics', 'json_invalid', { data: BASE64, topics: Array.from({ length: 17 }, () => 'a') }],
    ['a topic with a star', 'topic_invalid', { data: BASE64, topics: ['job:*'] }],
    ['a ttl of zero', 'json_invalid', { data: BASE64, ttl: 0 }],
    ['a ttl as text', 'json_invalid', { data: BASE64, ttl: '60' }],
    ['a ttl beyond a year', 'json_invalid', { data: BASE64, ttl: 31_536_001 }],
    ['a meta that is a list', 'json_invalid', { data: BASE64, meta: [1] }],
    ['a meta that is too large', 'event_invalid', { data: BASE64, meta: { a: 'x'.repeat(5000) } }],
    ['no image', 'envelope_without_image', { topics: ['a'] }],
    ['an image that is no text', 'envelope_without_image', { data: 42 }],
    ['broken base64', 'base64_invalid', { data: 'QU*D' }],
    ['a data URL without base64', 'data_url_invalid', { data: 'data:image/png,abc' }],
    ['a data URL of SVG', 'svg_refused', { data: 'data:image/svg+xml;base64,PHN2Zy8+' }],
    ['an empty body', 'body_empty', ''],
  ])('refuses %s with %s', (_what, code, value) => {
    expect(codeOf(value)).toBe(code);
  });

  it('says which field is wrong, without quoting the sender', () => {
    expect(() => unwrap({ data: BASE64, topics: [1] })).toThrow(/topics\.0: /);
  });

  it('refuses a meta nested deep enough to overflow a stack', () => {
    const deep = `{"data":"${BASE64}","meta":{"a":${'['.repeat(200_000)}${']'.repeat(200_000)}}}`;
    expect(codeOf(deep)).toMatch(/^(event|json)_invalid$/);
  });

  it('refuses JSON that is not UTF-8', () => {
    const bytes = Buffer.from(`{"data":"${BASE64}","meta":{"a":"\u00e9"}}`, 'latin1');
    expect(() => unwrapImage(new Uint8Array(bytes), 'json', LIMIT)).toThrow('json_invalid');
  });

  it('refuses an image over the limit by the length of its base64', () => {
    expect(codeOf({ data: BASE64 }, 'json', IMAGE.byteLength - 1)).toBe('image_too_large');
    expect(codeOf({ data: BASE64 }, 'json', IMAGE.byteLength)).toBeUndefined();
  });

  it('takes bare base64 and data URLs as they are pasted', () => {
    expect(Buffer.from(unwrap(`${BASE64}\n`, 'base64').bytes)).toEqual(IMAGE);
    expect(Buffer.from(unwrap(`\n DATA:image/png;Base64,${BASE64}\n`, 'data-url').bytes)).toEqual(IMAGE);
    expect(codeOf(BASE64, 'data-url')).toBe('data_url_invalid');
    expect(codeOf('data:image/png;base64', 'data-url')).toBe('data_url_invalid');
  });
});
