import { expect, test } from 'vitest';
import { isSigned, signAddress } from '../../../src/core/signature.ts';

const KEY = 'first key';
const NOW_MS = 1_000_000;

function check(address: string, keys = [KEY], nowMs = NOW_MS): boolean {
  const [path = '', query = ''] = address.split('?');
  return isSigned(path, query, keys, nowMs);
}

test('a signed address holds until its expiry', () => {
  const address = signAddress('/images/a?w=999', KEY, 1001);
  expect(check(address)).toBe(true);
  expect(check(address, [KEY], 1_001_000)).toBe(false);
});

test('any change of path, query, expiry or signature breaks it', () => {
  const address = signAddress('/images/a?w=999', KEY, 1001);
  const changed = [
    address.replace('/a?', '/b?'),
    address.replace('w=999', 'w=1000'),
    address.replace('exp=1001', 'exp=2001'),
    `${address}&q=1`,
    address.replace(/sig=./, 'sig=!'),
    address.replace(/&sig=.*/, ''),
  ];
  for (const other of changed) expect(check(other)).toBe(false);
});

test('the order of the parameters does not matter', () => {
  const [path = '', query = ''] = signAddress('/images/a?w=1&h=2', KEY, 1001).split('?');
  expect(check(`${path}?${query.split('&').toReversed().join('&')}`)).toBe(true);
});

test('keys rotate: old addresses hold as long as their key is listed', () => {
  const address = signAddress('/images/a', KEY, 1001);
  expect(check(address, ['next key', KEY])).toBe(true);
  expect(check(address, ['next key'])).toBe(false);
  expect(check(address, [])).toBe(false);
});
