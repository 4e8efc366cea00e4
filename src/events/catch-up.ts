/**
 * From a cursor to live, with no loss and no repeat at the seam: replay history, then what was held
 * back meanwhile, then let events through. History itself is the waiting room of a slow reader.
 */
import { compareCursors } from '../core/cursor.ts';
import type { ImageEvent } from '../core/event.ts';
import type { Bus, Replay } from './bus.ts';
import type { Channel } from './channel.ts';
import type { EventCounters } from './event-counters.ts';
import { isOwed, type Follow } from './follow.ts';
import type { Subscriber } from './subscriber.ts';

export interface CatchUpDeps {
  readonly bus: Pick<Bus, 'replay'>;
  readonly counters: EventCounters;
}

/** Events that are sent before others get a turn. */
const SLICE = 32;
const REPLAY_TIMEOUT_MS = 10_000;

function later(a: string, b: string): string {
  return compareCursors(a, b) < 0 ? b : a;
}

async function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

async function give(subscriber: Subscriber, channel: Channel, event: ImageEvent): Promise<void> {
  const made = channel.frameOf(event);
  subscriber.offer(made instanceof Promise ? await made : made);
  await subscriber.untilDrained();
}

/** Asks history; a bus that fails or does not answer in time leaves a gap. */
async function ask(behind: readonly Follow[], since: string, deps: CatchUpDeps): Promise<Replay> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Replay>((resolve) => {
    timer = setTimeout(() => resolve({ events: [], since, gap: 'disconnected' }), REPLAY_TIMEOUT_MS);
  });
  const filters = behind.map(({ filter }) => filter);
  try {
    return await Promise.race([deps.bus.replay(filters, since), late]);
  } catch {
    return { events: [], since, gap: 'disconnected' };
  } finally {
    clearTimeout(timer);
  }
}

/** One replay of the follows that owe it. */
async function replayRound(subscriber: Subscriber, channel: Channel, deps: CatchUpDeps): Promise<void> {
  const behind = subscriber.follows.filter(({ owes }) => owes);
  const cursors = behind.map(({ through }) => through);
  const asked = cursors.reduce((oldest, one) => (compareCursors(one, oldest) < 0 ? one : oldest));
  for (const follow of behind) follow.owes = false;
  const { events, since, gap } = await ask(behind, asked, deps);
  if (gap !== undefined) {
    deps.counters.gaps += 1;
    subscriber.offer(channel.gapFrame(gap, since));
  }
  if (gap === 'ahead') for (const follow of behind) follow.start = follow.through = since;
  let given = 0;
  for (const event of events) {
    if (subscriber.isOver) return;
    if (!isOwed(subscriber.follows, event)) continue;
    await give(subscriber, channel, event);
    deps.counters.replayed += 1;
    given += 1;
    if (given % SLICE === 0) await nextTurn();
  }
  const end = events.at(-1)?.cursor ?? since;
  for (const follow of behind) follow.through = later(follow.through, end);
}

/** What came while the replay went on, in order; stops when there is something to replay again. */
async function giveHeld(subscriber: Subscriber, channel: Channel): Promise<void> {
  const { follows, held = [] } = subscriber;
  for (let [event] = held; event !== undefined; [event] = held) {
    if (subscriber.isOver || subscriber.heldTooMany || follows.some(({ owes }) => owes)) return;
    held.shift();
    if (isOwed(follows, event)) await give(subscriber, channel, event);
    for (const follow of follows) if (!follow.owes) follow.through = later(follow.through, event.cursor);
  }
}

function goLive(subscriber: Subscriber, channel: Channel): void {
  const { follows } = subscriber;
  subscriber.held = undefined;
  const through = follows.reduce((newest, one) => later(newest, one.through), channel.settled());
  // A replay may have read further than deliveries here have come.
  if (through !== channel.settled()) subscriber.ahead = through;
}

/** Call it in the turn in which a follow began to owe; resolves when the subscriber is live, or over. */
export async function catchUp(subscriber: Subscriber, channel: Channel, deps: CatchUpDeps): Promise<void> {
  const { follows } = subscriber;
  const had = later(channel.settled(), subscriber.lastCursor);
  for (const follow of follows) if (!follow.owes) follow.through = later(follow.through, had);
  subscriber.held = [];
  subscriber.heldTooMany = false;
  for (;;) {
    if (subscriber.heldTooMany) {
      subscriber.heldTooMany = false;
      subscriber.held = [];
      for (const follow of follows) follow.owes = true;
    }
    if (follows.some(({ owes }) => owes)) await replayRound(subscriber, channel, deps);
    await giveHeld(subscriber, channel);
    if (subscriber.isOver) return;
    if (!subscriber.heldTooMany && follows.every(({ owes }) => !owes)) return goLive(subscriber, channel);
  }
}
