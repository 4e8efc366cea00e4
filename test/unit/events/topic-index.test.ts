import { describe, expect, it } from 'vitest';
import { createTopicIndex } from '../../../src/events/topic-index.ts';

describe('createTopicIndex', () => {
  it('finds followers by name, by prefix and by *, each once', () => {
    const index = createTopicIndex<string>();
    index.add('job:1', 'exact');
    index.add('job:*', 'prefix');
    index.add('*', 'all');
    for (const filter of ['job:1', 'job:*', 'image:a']) index.add(filter, 'many');
    expect(index.match(['image:a', 'job:1']).toSorted()).toEqual(['all', 'exact', 'many', 'prefix']);
    expect(index.match(['image:a']).toSorted()).toEqual(['all', 'many']);
    expect(index.match(['job']).toSorted()).toEqual(['all']);
    expect(index.match(['job:12']).toSorted()).toEqual(['all', 'many', 'prefix']);
  });

  it('forgets what is removed', () => {
    const index = createTopicIndex<string>();
    for (const filter of ['job:1', 'job:*', '*']) index.add(filter, 'one');
    index.add('job:*', 'other');
    for (const filter of ['job:1', 'job:*', '*']) index.remove(filter, 'one');
    index.remove('never', 'one');
    index.remove('never:*', 'one');
    expect(index.match(['job:1'])).toEqual(['other']);
    index.remove('job:*', 'other');
    expect(index.match(['job:1'])).toEqual([]);
    expect(index.isFollowed(['job:1'])).toBe(false);
  });

  it('says whether anybody follows, without listing them', () => {
    const index = createTopicIndex<string>();
    index.add('job:*', 'one');
    expect(index.isFollowed(['image:a', 'job:1'])).toBe(true);
    expect(index.isFollowed(['image:a'])).toBe(false);
  });
});
