import { describe, expect, it } from 'vitest';
import { createSingleFlight, type Flight } from '../../../src/cache/single-flight.ts';
import { nobody, turn } from '../../fixtures/signals.ts';

interface Held {
  readonly flight: Flight;
  finish(value: string): void;
  fail(error: Error): void;
}

/** Work that ends when the test says so. */
function createWork() {
  const begun: Held[] = [];
  const work = async (flight: Flight): Promise<string> =>
    new Promise((finish, fail) => {
      begun.push({ flight, finish, fail });
    });
  return { begun, work };
}

describe('a single flight', () => {
  it('runs once for all who ask while it is under way, and says who joined', async () => {
    const flights = createSingleFlight<string>();
    const { begun, work } = createWork();
    const all = Array.from({ length: 200 }, async () => flights.run('a', nobody, work));
    await turn();
    expect(begun).toHaveLength(1);
    begun[0]?.finish('bytes');
    const landed = await Promise.all(all);
    expect(landed.filter(({ collapsed }) => collapsed)).toHaveLength(199);
    expect(landed.every(({ value }) => value === 'bytes')).toBe(true);
    expect(flights.size()).toBe(0);
  });

  it('lets one more begin when the first takes too long, and stores nothing of the first', async () => {
    let nowMs = 0;
    const flights = createSingleFlight<string>({ ageMs: 5000, nowMs: () => nowMs });
    const { begun, work } = createWork();
    const early = flights.run('a', nobody, work);
    nowMs = 4999;
    const joining = flights.run('a', nobody, work);
    nowMs = 5000;
    const late = [flights.run('a', nobody, work), flights.run('a', nobody, work)];
    await turn();
    expect(begun).toHaveLength(2);
    expect(begun.map(({ flight }) => flight.mayStore())).toEqual([false, true]);
    begun[1]?.finish('second');
    expect((await Promise.all(late)).map(({ value }) => value)).toEqual(['second', 'second']);
    begun[0]?.finish('first');
    expect((await early).value).toBe('first');
    expect((await joining).collapsed).toBe(true);
    expect(flights.size()).toBe(0);
  });

  it('runs anew for who asks afterwards', async () => {
    const flights = createSingleFlight<string>();
    const first = flights.run('a', nobody, async () => '1');
    expect((await first).value).toBe('1');
    expect((await flights.run('a', nobody, async () => '2')).value).toBe('2');
  });

  it('tells a failure to each of them, and forgets it', async () => {
    const flights = createSingleFlight<string>();
    const { begun, work } = createWork();
    const all = [flights.run('a', nobody, work), flights.run('a', nobody, work)];
    await turn();
    begun[0]?.fail(new Error('broken'));
    for (const result of await Promise.allSettled(all)) expect(result.status).toBe('rejected');
    expect((await flights.run('a', nobody, async () => 'good')).value).toBe('good');
  });

  it('lets one leave while the others wait on, and is aborted when the last one leaves', async () => {
    const flights = createSingleFlight<string>();
    const { begun, work } = createWork();
    const [first, second] = [new AbortController(), new AbortController()];
    const waits = [flights.run('a', first.signal, work), flights.run('a', second.signal, work)];
    const settled = Promise.allSettled(waits);
    await turn();
    first.abort(new Error('first left'));
    await expect(waits[0]).rejects.toThrow('first left');
    expect(begun[0]?.flight.signal.aborted).toBe(false);
    second.abort(new Error('second left'));
    await settled;
    expect(begun[0]?.flight.signal.aborted).toBe(true);
    expect(flights.size()).toBe(0);
  });

  it('does not let anyone join a flight that is being aborted', async () => {
    const flights = createSingleFlight<string>();
    const { begun, work } = createWork();
    const leaver = new AbortController();
    const left = flights.run('a', leaver.signal, work);
    await turn();
    leaver.abort(new Error('left'));
    await expect(left).rejects.toThrow('left');
    const next = flights.run('a', nobody, work);
    await turn();
    expect(begun).toHaveLength(2);
    begun[1]?.finish('fresh');
    begun[0]?.finish('old');
    expect(await next).toEqual({ value: 'fresh', collapsed: false });
  });

  it('may not store once its key was invalidated, and gets no more company', async () => {
    const flights = createSingleFlight<string>();
    const { begun, work } = createWork();
    const before = flights.run('a', nobody, work);
    await turn();
    expect(begun[0]?.flight.mayStore()).toBe(true);
    flights.invalidate('a');
    expect(begun[0]?.flight.mayStore()).toBe(false);
    const after = flights.run('a', nobody, work);
    await turn();
    expect(begun[1]?.flight.mayStore()).toBe(true);
    begun[0]?.finish('old');
    begun[1]?.finish('new');
    expect([(await before).value, (await after).value]).toEqual(['old', 'new']);
  });

  it('is not touched by the invalidation of another key, unless that is what it was made from', async () => {
    const flights = createSingleFlight<string>();
    const { begun, work } = createWork();
    const run = flights.run('variant:a', nobody, work);
    await turn();
    flights.invalidate('image:b');
    expect(begun[0]?.flight.mayStore(['image:a'])).toBe(true);
    flights.invalidate('image:a');
    expect(begun[0]?.flight.mayStore(['image:a'])).toBe(false);
    expect(begun[0]?.flight.mayStore()).toBe(true);
    begun[0]?.finish('bytes');
    await run;
  });

  it('remembers a bounded number of invalidated keys, and trusts nothing beyond', async () => {
    const flights = createSingleFlight<string>();
    const { begun, work } = createWork();
    const run = flights.run('a', nobody, work);
    await turn();
    for (let index = 0; index <= 10_000; index += 1) flights.invalidate(`image:${index}`);
    expect(begun[0]?.flight.mayStore()).toBe(false);
    begun[0]?.finish('bytes');
    expect((await run).value).toBe('bytes');
  });

  it('may store nothing after everything was invalidated', async () => {
    const flights = createSingleFlight<string>();
    const { begun, work } = createWork();
    const runs = [flights.run('a', nobody, work), flights.run('b', nobody, work)];
    await turn();
    flights.invalidateAll();
    for (const { flight, finish } of begun) {
      expect(flight.mayStore()).toBe(false);
      finish('bytes');
    }
    await Promise.all(runs);
  });

  it('refuses a caller that has left already, without beginning', async () => {
    const flights = createSingleFlight<string>();
    const { begun, work } = createWork();
    await expect(flights.run('a', AbortSignal.abort(new Error('left')), work)).rejects.toThrow('left');
    expect(begun).toHaveLength(0);
  });
});
