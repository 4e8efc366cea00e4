import { describe, expect, test } from 'vitest';
import {
  canonicalVariant,
  chooseVariant,
  parseVariant,
  qualityOf,
  type Variant,
  type VariantRequest,
  type VariantSource,
} from '../../../src/core/variant.ts';

const SIZES = new Set([64, 256, 512]);
const BROWSER = 'image/avif,image/webp,*/*;q=0.8';
const PHOTO: VariantSource = { mime: 'image/jpeg', animated: false, width: 1000, height: 500 };

function asked(query: string): VariantRequest {
  const request = parseVariant(new URLSearchParams(query), SIZES);
  if (request === undefined) throw new Error(`${query} asks for the original`);
  return request;
}

function chosen(
  query: string,
  source: VariantSource = PHOTO,
  accept = BROWSER,
  made: string[] = [],
): Variant {
  return chooseVariant(asked(query), source, accept, (variant) => made.includes(canonicalVariant(variant)));
}

const text = (query: string, source?: VariantSource): string => canonicalVariant(chosen(query, source));

describe('what is asked for', () => {
  test.each(['', 'v=1', 'w=', 'anim=1', 'fit=cover', 'w=&h=&q='])('%j is the original', (query) => {
    expect(parseVariant(new URLSearchParams(query), SIZES)).toBe(undefined);
  });

  test.each([
    ['w=65', 'size_unlisted'],
    ['w=6e1', 'size_unlisted'],
    ['w=+64', 'size_unlisted'],
    ['h=000064', 'size_unlisted'],
    ['w=64&fit=Cover', 'query_invalid'],
    ['format=AUTO', 'query_invalid'],
    ['format=', 'query_invalid'],
    ['q=0', 'query_invalid'],
    ['q=50.5', 'query_invalid'],
    ['anim=', 'query_invalid'],
  ])('%j is refused as %s', (query, code) => {
    expect(() => parseVariant(new URLSearchParams(query), SIZES)).toThrow(code);
  });

  test('a signed address may name any size up to 8192', () => {
    const any = (query: string): VariantRequest | undefined =>
      parseVariant(new URLSearchParams(query), 'any');
    expect(any('w=65&h=8192')).toMatchObject({ width: 65, height: 8192 });
    for (const query of ['w=0', 'w=8193', 'w=99999']) expect(() => any(query)).toThrow('size_unlisted');
  });

  test('the error names the sizes there are', () => {
    expect(() => asked('w=65')).toThrow('w is one of 64, 256, 512.');
  });

  test.each([
    [1, 5],
    [2, 5],
    [3, 5],
    [7, 5],
    [8, 10],
    [97, 95],
    [98, 100],
    [100, 100],
  ])('q=%i is rendered with %i', (given, rounded) => {
    expect(asked(`q=${given}`).quality).toBe(rounded);
  });
});

describe('requests for the same bytes share one rendering', () => {
  test.each([
    ['w=64', 'w=64&fit=cover', PHOTO],
    ['w=64', 'w=64&format=jpeg', PHOTO],
    ['w=64', 'w=64&anim=0', PHOTO],
    ['w=64&format=jpeg', 'w=64&format=jpeg&anim=0', { ...PHOTO, animated: true }],
    ['w=64&format=png', 'w=64&format=png&q=30', PHOTO],
    ['w=64&format=webp', 'w=64&format=webp&q=80', PHOTO],
    ['w=64&format=avif', 'w=64&format=avif&q=55', PHOTO],
    // Nothing is enlarged, so all of these are its own size.
    ['format=webp', 'w=512&format=webp', { ...PHOTO, width: 512, height: 100 }],
    ['w=256', 'w=512&h=256', { ...PHOTO, width: 100, height: 50 }],
  ] as const)('%s and %s', (one, other, source) => {
    expect(text(one, source)).toBe(text(other, source));
  });

  test.each([
    ['w=64', 'h=64', PHOTO],
    ['w=64&h=64', 'w=64', PHOTO],
    ['w=64&h=64', 'w=64&h=64&fit=cover', PHOTO],
    ['w=64&h=64&fit=contain', 'w=64&h=64&fit=fill', PHOTO],
    ['w=64&format=webp', 'w=64&format=webp&anim=0', { ...PHOTO, animated: true }],
    // These enlarge.
    ['w=512&h=512&fit=cover', 'w=256&h=256&fit=cover', { ...PHOTO, width: 100, height: 100 }],
    ['w=512', 'w=256', { ...PHOTO, width: 300, height: 100 }],
  ] as const)('but not %s and %s', (one, other, source) => {
    expect(text(one, source)).not.toBe(text(other, source));
  });

  test('of an image of unknown size every size is another rendering', () => {
    const unknown = { ...PHOTO, width: Infinity, height: Infinity };
    expect(text('w=64', unknown)).not.toBe(text('w=256', unknown));
  });
});

describe('format=auto', () => {
  const format = (query: string, source = PHOTO, accept = BROWSER, made: string[] = []): string =>
    chosen(`${query}&format=auto`, source, accept, made).format;

  test('AVIF up to 256 x 256 pixels of output, WebP above', () => {
    expect(format('w=256')).toBe('avif');
    expect(format('w=256&h=256')).toBe('avif');
    expect(format('w=512')).toBe('webp');
    // 256 wide and 512 high.
    expect(format('w=256', { ...PHOTO, width: 500, height: 1000 })).toBe('webp');
    expect(format('h=256', { ...PHOTO, width: 500, height: 1000 })).toBe('avif');
    expect(format('w=512', { ...PHOTO, width: 100, height: 50 })).toBe('avif');
    expect(format('w=64', { ...PHOTO, width: Infinity, height: Infinity })).toBe('webp');
  });

  test('AVIF at any size where it is made already', () => {
    expect(format('w=512', PHOTO, BROWSER, [text('w=512&format=avif')])).toBe('avif');
    expect(format('w=512', PHOTO, 'image/webp', [text('w=512&format=avif')])).toBe('webp');
  });

  test('only what Accept names; a weight of 0 is a no', () => {
    expect(format('w=64', PHOTO, '')).toBe('jpeg');
    expect(format('w=64', PHOTO, '*/*')).toBe('jpeg');
    expect(format('w=64', PHOTO, 'image/*')).toBe('jpeg');
    expect(format('w=64', { ...PHOTO, mime: 'image/webp' }, '*/*')).toBe('png');
    expect(format('w=64', PHOTO, 'image/avif;q=0,image/webp')).toBe('webp');
    expect(format('w=64', PHOTO, 'image/avif ; Q = 0.000 , image/webp;q=0')).toBe('jpeg');
    expect(format('w=64', PHOTO, 'text/html, IMAGE/AVIF;x=1;q=0.1')).toBe('avif');
    expect(format('w=64', PHOTO, 'image/avifx')).toBe('jpeg');
  });

  test('an animation stays one: WebP, or AVIF of its first frame', () => {
    const gif = { ...PHOTO, mime: 'image/gif', animated: true };
    expect(format('w=64', gif)).toBe('webp');
    expect(format('w=64&anim=0', gif)).toBe('avif');
  });
});

test('without a format it is that of the image; GIF becomes WebP', () => {
  const format = (mime: string): string => chosen('w=64', { ...PHOTO, mime }).format;
  expect(['image/jpeg', 'image/png', 'image/avif', 'image/webp', 'image/gif'].map(format)).toEqual([
    'jpeg',
    'png',
    'avif',
    'webp',
    'webp',
  ]);
});

test('PNG has no quality, the others have one of their own', () => {
  const quality = (format: string): number => qualityOf(chosen(`w=64&format=${format}`));
  expect(['png', 'webp', 'avif', 'jpeg'].map(quality)).toEqual([0, 80, 55, 82]);
});
