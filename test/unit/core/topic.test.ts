import { expect, test } from 'vitest';
import { checkTopic, checkTopicFilter, isPrefixFilter, topicMatches } from '../../../src/core/topic.ts';

test.each(['job:42', 'a', 'ü b', 'image:a/b', 'x'.repeat(640)])(
  '%j is a topic, and a filter for it',
  (topic) => {
    expect(checkTopic(topic)).toBe(topic);
    expect(checkTopicFilter(topic)).toBe(topic);
    expect(topicMatches(topic, topic)).toBe(true);
  },
);

test.each(['', 'a\nb', 'a\0', '\ud800', 'x'.repeat(641), 'a*b', '**'])('%j is neither', (text) => {
  expect(() => checkTopic(text)).toThrow('topic_invalid');
  expect(() => checkTopicFilter(text)).toThrow('topic_invalid');
});

test('a star is only for following, and only at the end', () => {
  for (const filter of ['*', 'job:*']) {
    expect(() => checkTopic(filter)).toThrow('topic_invalid');
    expect(checkTopicFilter(filter)).toBe(filter);
    expect(isPrefixFilter(filter)).toBe(true);
  }
});

test('a prefix matches what begins with it, a plain filter only itself', () => {
  expect(topicMatches('job:*', 'job:42')).toBe(true);
  expect(topicMatches('job:*', 'job:')).toBe(true);
  expect(topicMatches('job:*', 'jobs')).toBe(false);
  expect(topicMatches('*', 'anything')).toBe(true);
  expect(topicMatches('job:4', 'job:42')).toBe(false);
});
