import { expect, test } from 'vitest';
import { createFollowers, type Follower } from '../../../../src/browser/client/followers.ts';

function follower(filters: readonly string[], cursor = ''): Follower & { readonly got: string[] } {
  const got: string[] = [];
  return {
    filters,
    cursor,
    joined: false,
    got,
    onEvent: (event) => got.push(`${event.name} ${event.cursor}`),
    onState() {},
  };
}

const ready = (cursor: string, id = 'a', topics: readonly string[] = []) => ({
  name: 'image.ready',
  cursor,
  id,
  topics,
});

test('an event goes to whoever follows one of its topics, the topic of its image among them', () => {
  const followers = createFollowers();
  const [byId, byJob, other] = [follower(['image:a']), follower(['job:*']), follower(['job:2'])];
  for (const one of [byId, byJob, other]) followers.add(one);
  followers.join();
  followers.deliver(ready('1-0', 'a', ['job:1']));
  expect([byId.got, byJob.got, other.got]).toEqual([['image.ready 1-0'], ['image.ready 1-0'], []]);
});

test('what a resumed stream repeats is told once', () => {
  const followers = createFollowers();
  const one = follower(['*']);
  followers.add(one);
  followers.join();
  for (const cursor of ['1-0', '2-0', '1-0', '2-0', '3-0']) followers.deliver(ready(cursor));
  expect(one.got).toEqual(['image.ready 1-0', 'image.ready 2-0', 'image.ready 3-0']);
});

test('a stream resumes from where the last of its followers stands', () => {
  const followers = createFollowers();
  for (const cursor of ['9-0', '', '3-0', '12-0']) followers.add(follower(['*'], cursor));
  expect(followers.resumeFrom()).toBe('3-0');
});

test('events of other topics move a follower on, so that it does not resume from long ago', () => {
  const followers = createFollowers();
  const quiet = follower(['image:quiet'], '1-0');
  followers.add(quiet);
  followers.join();
  followers.deliver(ready('500-0', 'busy'));
  expect(quiet.cursor).toBe('500-0');
  expect(quiet.got).toEqual([]);
});

test('a follower that the open connection does not cover yet is not moved over what it would miss', () => {
  const followers = createFollowers();
  const late = follower(['job:9'], '1-0');
  followers.add(late);
  followers.deliver(ready('5-0', 'x', ['job:1']));
  expect(late.cursor).toBe('1-0');
  followers.join();
  followers.deliver(ready('3-0', 'y', ['job:9']));
  expect(late.got).toEqual(['image.ready 3-0']);
});

test('a gap is told to everybody, and its cursor counts even where it lies before theirs', () => {
  const followers = createFollowers();
  const one = follower(['job:1'], '900-0');
  followers.add(one);
  followers.join();
  followers.deliver({ name: 'gap', cursor: '100-0', id: '', topics: [] });
  followers.deliver(ready('101-0', 'a', ['job:1']));
  expect(one.got).toEqual(['gap 100-0', 'image.ready 101-0']);
});

test('a heartbeat moves on whom the stream covers, never back', () => {
  const followers = createFollowers();
  const [behind, ahead, late] = [follower(['*']), follower(['*'], '30-0'), follower(['job:9'], '1-0')];
  for (const one of [behind, ahead]) followers.add(one);
  followers.join();
  followers.add(late);
  followers.advance('10-0');
  expect([behind.cursor, ahead.cursor, late.cursor]).toEqual(['10-0', '30-0', '1-0']);
});
