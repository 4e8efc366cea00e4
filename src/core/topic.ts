/**
 * Topics: what an event carries, and the filters that follow them (`job:42` exact, `job:*` by prefix,
 * `*` all). Pure; who follows what is the hub's business.
 */
import { AppError } from '../errors.ts';
import { TOPIC_CHARS_MAX } from './limits.ts';

// eslint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f]/;

function isPlain(text: string): boolean {
  return text.length <= TOPIC_CHARS_MAX && !CONTROL.test(text) && text.isWellFormed();
}

/** A topic that a producer puts on an event: no `*` in it. */
export function checkTopic(topic: string): string {
  if (topic.length === 0 || !isPlain(topic) || topic.includes('*')) throw new AppError('topic_invalid');
  return topic;
}

/** A filter of a subscriber: a topic, or one with a single `*` at its end. */
export function checkTopicFilter(filter: string): string {
  const star = filter.indexOf('*');
  if (filter.length === 0 || !isPlain(filter) || (star !== -1 && star !== filter.length - 1)) {
    throw new AppError('topic_invalid');
  }
  return filter;
}

export function isPrefixFilter(filter: string): boolean {
  return filter.endsWith('*');
}

export function topicMatches(filter: string, topic: string): boolean {
  return isPrefixFilter(filter) ? topic.startsWith(filter.slice(0, -1)) : filter === topic;
}

/** The topic that every event of an image carries. */
export function imageTopic(id: string): string {
  return `image:${id}`;
}
