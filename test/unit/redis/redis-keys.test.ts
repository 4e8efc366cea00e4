import { describe, expect, it } from 'vitest';
import { imageKey, partialKey, valueKey, variantKey } from '../../../src/core/keys.ts';
import { createRedisKeys } from '../../../src/redis/redis-keys.ts';

describe.each(['image:', 'shop/img/'])('keys with the prefix %s', (prefix) => {
  const keys = createRedisKeys(prefix);

  it('put images where other programs look for them, and everything else under afterimage', () => {
    expect(keys.toRedis(imageKey('a/b'))).toBe(`${prefix}a/b`);
    expect(keys.toRedis(valueKey('x'))).toBe('afterimage:cache:x');
  });

  it('come back as they were', () => {
    for (const key of [
      imageKey('image:x'),
      partialKey('x'),
      valueKey(''),
      variantKey('x', 'f'.repeat(64), 'w1'),
    ]) {
      expect(keys.toCache(keys.toRedis(key))).toBe(key);
    }
  });

  it('are told from what is not of the cache', () => {
    for (const other of [
      'session:1',
      'afterimage-claim:x',
      'afterimage',
      keys.probe('one'),
      keys.announced('x'),
    ]) {
      expect(keys.toCache(other)).toBeUndefined();
    }
  });

  it('of this server’s own notes are under no tracked prefix', () => {
    const notes = [
      keys.announced('x'),
      keys.claim('x'),
      keys.children('image:x'),
      keys.clearing,
      keys.events,
    ];
    for (const note of [...notes, keys.eventsBegan]) {
      expect(keys.trackedPrefixes.some((tracked) => note.startsWith(tracked))).toBe(false);
    }
    expect(keys.trackedPrefixes.some((tracked) => keys.probe('one').startsWith(tracked))).toBe(true);
  });
});
