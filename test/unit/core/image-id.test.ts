import { expect, test } from 'vitest';
import { checkImageId, imagePath } from '../../../src/core/image-id.ts';

test.each(['a', 'a/b/c.png', '...', '.a', 'a b', 'ü', '日本', '%41', 'a'.repeat(512), ':', '\'"<>&'])(
  '%j is an id',
  (id) => {
    expect(checkImageId(id)).toBe(id);
  },
);

test.each([
  '',
  '/',
  '/a',
  'a/',
  'a//b',
  '.',
  '..',
  'a/./b',
  'a/../b',
  'a?b',
  'a#b',
  'a\\b',
  'a\0b',
  'a\nb',
  'a\u007fb',
  'a\ud800',
  'a'.repeat(513),
])('%j is none', (id) => {
  expect(() => checkImageId(id)).toThrow('image_id_invalid');
});

test('a path escapes each segment and keeps the slashes', () => {
  expect(imagePath('a b/ü/%/c+d')).toBe('/images/a%20b/%C3%BC/%25/c%2Bd');
});
