import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { beforeAll, expect, it } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import type { ImageEvent } from '../../../src/core/event.ts';
import { createHistory } from '../../../src/events/history.ts';

const LIMIT_EVENTS = 200;
let collect: () => void;

beforeAll(() => {
  setFlagsFromString('--expose-gc');
  collect = runInNewContext('gc');
});

function eventOf(at: number): ImageEvent {
  const id = `image-${at}`;
  const topics = [`image:${id}`, `crowd:${at % 3}`];
  const data = { id, topics };
  return {
    name: 'image.ready',
    kind: 'final',
    cursor: `${Date.now()}-${at}`,
    data,
    topics,
    thumbnail: '',
    bodyKey: '',
  };
}

async function alive(refs: readonly WeakRef<object>[]): Promise<number> {
  for (let round = 0; round < 3; round += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
  return refs.filter((ref) => ref.deref() !== undefined).length;
}

it('events that history has dropped are free at once, not when as many again have come', async () => {
  const history = createHistory({ limitEvents: LIMIT_EVENTS, limitBytes: 1e9, maxAgeMs: 1e9 }, systemClock);
  const refs: WeakRef<object>[] = [];
  for (let at = 0; at < LIMIT_EVENTS * 1.9; at += 1) {
    const event = eventOf(at);
    history.keep(event);
    refs.push(new WeakRef(event));
  }
  expect(await alive(refs)).toBeLessThanOrEqual(LIMIT_EVENTS + 1);
  expect(history.find(['*'], '0-0').events).toHaveLength(LIMIT_EVENTS);
});
