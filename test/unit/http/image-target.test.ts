import { expect, test } from 'vitest';
import { createImageQueryReader, decodeTail, imageIdOf } from '../../../src/http/image-target.ts';

const read = createImageQueryReader([64, 128]);

test('a query is read once and the reading kept', () => {
  expect(read('')).toBe(read(''));
  expect(read('w=64&v=abc')).toBe(read('w=64&v=abc'));
  expect(read('w=64&v=abc')).toMatchObject({ variant: { width: 64 }, version: 'abc', partial: false });
});

test('strangers cannot make it grow: it starts over', () => {
  const first = read('v=first');
  for (let index = 0; index < 1100; index += 1) read(`v=${index}`);
  expect(read('v=first')).not.toBe(first);
  expect(read('v=first')).toEqual(first);
});

test('what is refused is not kept, and refused again', () => {
  for (let round = 0; round < 2; round += 1) {
    expect(() => read('w=65')).toThrow('size_unlisted');
    expect(() => read(`v=${'x'.repeat(511)}`)).toThrow('query_invalid');
  }
});

test('a partial is asked for by the name alone, whatever its value', () => {
  for (const query of ['partial', 'partial=', 'partial=7']) expect(read(query).partial).toBe(true);
});

test('an id is the decoded rest of the path', () => {
  expect(imageIdOf('/images/a%20b/c', '/images/')).toBe('a b/c');
  expect(imageIdOf('/images/a%2Fb', '/images/')).toBe('a/b');
  expect(imageIdOf('/images/a+b', '/images/')).toBe('a+b');
});

test('a broken escape is no id', () => {
  for (const path of ['/images/%', '/images/%1', '/images/%ff', '/images/%ed%a0%80']) {
    expect(() => decodeTail(path, '/images/')).toThrow('image_id_invalid');
  }
});

test('nothing is decoded twice', () => {
  expect(imageIdOf('/images/%2541', '/images/')).toBe('%41');
  expect(() => imageIdOf('/images/%2e%2e', '/images/')).toThrow('image_id_invalid');
});
