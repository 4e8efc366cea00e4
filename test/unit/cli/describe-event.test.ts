import { expect, test } from 'vitest';
import { describeEvent } from '../../../src/cli/describe-event.ts';
import { byteSize, printable } from '../../../src/cli/printable.ts';

const THUMBNAIL = `data:image/webp;base64,${Buffer.alloc(412).toString('base64')}`;

test('a line says what came, how large, and the size of its thumbnail', () => {
  const line = describeEvent('image.ready', '1763672400123-0', {
    id: 'hero',
    mime: 'image/png',
    bytes: 1_398_123,
    width: 1024,
    height: 768,
    full: '/images/hero?v=9f',
    thumbnail: THUMBNAIL,
  });
  expect(line.slice(9)).toBe('image.ready hero 1.40 MB image/png 1024x768 thumbnail 412 B /images/hero?v=9f');
});

test('a partial says its index, a failure its reason', () => {
  expect(describeEvent('image.partial', '1-0', { id: 'a', partial_index: 2 })).toContain('a partial 2');
  expect(describeEvent('image.failed', '1-0', { id: 'a', reason: 'timeout' })).toMatch(/a timeout$/);
});

test('data of another shape is no reason to fail', () => {
  expect(describeEvent('concept_progress', '', 'just text')).toBe('--:--:-- concept_progress');
});

test('nothing that a server sends moves the cursor of the terminal', () => {
  const line = describeEvent('image.ready', '1-0', { id: 'a\u001b[2Jb\r\u009bc' });
  // eslint-disable-next-line no-control-regex
  expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
  expect(printable('héllo ✓')).toBe('héllo ✓');
});

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.00 kB'],
  [12_345, '12.3 kB'],
  [999_499, '999 kB'],
  [999_999, '1.00 MB'],
  [1_398_123, '1.40 MB'],
])('%d bytes are %s', (bytes, text) => {
  expect(byteSize(bytes)).toBe(text);
});
