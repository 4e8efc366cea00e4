import { describe, expect, it } from 'vitest';
import { startEventServer, type EventServer } from '../fixtures/event-server.ts';
import { finalOf } from '../fixtures/events.ts';
import { openRawStream, type RawStream } from '../fixtures/raw-stream.ts';

const READERS = 30;
const FINALS = 1500;
const BUDGET_BYTES = 256 * 1024;
/** So that a stalled reader is behind by more than the kernel holds for it. */
const PADDING = 'x'.repeat(15_000);

const pause = async (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Numbers from 0 up to 1 that are the same in every run. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

/** Follows until it has had the last final, stalling and leaving at random, resuming by cursor. */
async function read(server: EventServer, last: string, random: () => number) {
  const got: string[] = [];
  let gaps = 0;
  let connections = 0;
  let lastId = '';

  function take(stream: RawStream, from: number): number {
    const events = stream.events().slice(from);
    for (const { event, data } of events) {
      if (event === 'gap') gaps += 1;
      if (event === 'image.ready') got.push(JSON.parse(data).id);
    }
    if (stream.lastId() !== '') lastId = stream.lastId();
    return from + events.length;
  }

  async function stayAWhile(stream: RawStream): Promise<void> {
    let taken = 0;
    while (got.at(-1) !== last) {
      await pause(20 + random() * 80);
      taken = take(stream, taken);
      if (stream.isEnded() || stream.isClosed()) return;
      const dice = random();
      if (dice < 0.1) {
        stream.stopReading();
        await pause(random() * 2000);
        stream.goOnReading();
      } else if (dice < 0.15) return;
    }
  }

  while (got.at(-1) !== last) {
    const headers = lastId === '' ? '' : `Last-Event-ID: ${lastId}\r\n`;
    const stream = await openRawStream(server.port, '/events?topic=*&inline=none', headers);
    connections += 1;
    await stayAWhile(stream);
    stream.destroy();
  }
  return { got, gaps, connections };
}

describe('many readers that stall, leave and resume while events come at full speed', () => {
  it('gives each of them every final exactly once, within the budget of each', async () => {
    const server = await startEventServer({ hub: { budgetBytes: BUDGET_BYTES } });
    const ids = Array.from({ length: FINALS }, (_, index) => `i${index}`);
    const last = ids.at(-1) ?? '';
    const reading = Array.from({ length: READERS }, async (_, seed) =>
      read(server, last, createRandom(seed + 1)),
    );
    while (server.hub.stats().subscribers < READERS) await pause(5);
    let mostWaiting = 0;
    for (const id of ids) {
      await server.bus.publish(finalOf(id, [], { full: PADDING }));
      mostWaiting = Math.max(mostWaiting, server.hub.stats().waitingBytes);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const results = await Promise.all(reading);
    for (const { got, gaps } of results) {
      expect(gaps).toBe(0);
      expect(got).toEqual(ids);
    }
    expect(mostWaiting).toBeLessThanOrEqual(READERS * BUDGET_BYTES);
    // The test is only worth something where readers really were behind.
    const { cut, replayed } = server.hub.stats();
    expect(cut.slow).toBeGreaterThan(0);
    expect(replayed).toBeGreaterThan(0);
    await server.stop();
  }, 60_000);
});
