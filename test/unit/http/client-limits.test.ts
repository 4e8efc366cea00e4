import { describe, expect, it } from 'vitest';
import { createClientLimits, type ClientLimits, type Spend } from '../../../src/http/client-limits.ts';
import { RateLimited } from '../../../src/http/rate-limited.ts';
import { createManualClock } from '../../fixtures/manual-clock.ts';

type Rates = Parameters<typeof createClientLimits>[0]['perSecond'];

function limited(rates: Partial<Rates>, concurrent = 0) {
  const clock = createManualClock();
  const perSecond = { misses: 0, renders: 0, uploads: 0, ...rates };
  return { clock, limits: createClientLimits({ perSecond, concurrent }, clock) };
}

/** How many of `count` requests one after the other had their share. */
async function admitted(limits: ClientLimits, client: string, count: number, kind: Parameters<Spend>[0]) {
  let done = 0;
  for (let n = 0; n < count; n += 1) {
    await limits
      .run(
        () => client,
        async (spend) => spend(kind),
      )
      .then(
        () => (done += 1),
        (error: unknown) => expect(error).toBeInstanceOf(RateLimited),
      );
  }
  return done;
}

async function refusalOf(limits: ClientLimits, client: string, kind: Parameters<Spend>[0]) {
  const error: unknown = await limits
    .run(
      () => client,
      async (spend) => spend(kind),
    )
    .catch((thrown: unknown) => thrown);
  if (!(error instanceof RateLimited)) throw new Error('it was not refused');
  return Object.fromEntries(error.headers);
}

describe('a client', () => {
  it('may have ten seconds of its rate at once, and then the rate', async () => {
    const { clock, limits } = limited({ misses: 3 });
    expect(await admitted(limits, 'a', 100, 'misses')).toBe(30);
    clock.advance(1000);
    expect(await admitted(limits, 'a', 100, 'misses')).toBe(3);
    clock.advance(60_000);
    expect(await admitted(limits, 'a', 100, 'misses')).toBe(30);
  });

  it('takes nothing from another', async () => {
    const { limits } = limited({ misses: 1 });
    expect(await admitted(limits, 'a', 20, 'misses')).toBe(10);
    expect(await admitted(limits, 'b', 20, 'misses')).toBe(10);
  });

  it('has a share of each kind, and no limit of what has none', async () => {
    const { limits } = limited({ misses: 1, renders: 2 });
    expect(await admitted(limits, 'a', 20, 'misses')).toBe(10);
    expect(await admitted(limits, 'a', 30, 'renders')).toBe(20);
    expect(await admitted(limits, 'a', 1000, 'uploads')).toBe(1000);
  });

  it('pays for a request once, however many lookups that takes', async () => {
    const { limits } = limited({ misses: 1 });
    await limits.run(
      () => 'a',
      async (spend) => {
        for (let n = 0; n < 50; n += 1) spend('misses');
      },
    );
    expect(await admitted(limits, 'a', 20, 'misses')).toBe(9);
  });

  it('is told what it may have and when it may come again, as the RateLimit draft writes it', async () => {
    const { clock, limits } = limited({ renders: 2 });
    await admitted(limits, 'a', 20, 'renders');
    expect(await refusalOf(limits, 'a', 'renders')).toEqual({
      'Retry-After': '1',
      'RateLimit-Policy': '"renders";q=20;w=10',
      RateLimit: '"renders";r=0;t=1',
    });
    clock.advance(500);
    expect(await admitted(limits, 'a', 5, 'renders')).toBe(1);
  });

  it('is not shut out by a clock that was set back', async () => {
    const { clock, limits } = limited({ misses: 1 });
    await admitted(limits, 'a', 10, 'misses');
    clock.advance(-3_600_000);
    expect(await admitted(limits, 'a', 1, 'misses')).toBe(0);
    clock.advance(1000);
    expect(await admitted(limits, 'a', 5, 'misses')).toBe(1);
  });
});

describe('requests at a time', () => {
  it('are bounded for each client, and free again when they end, well or not', async () => {
    const { limits } = limited({}, 2);
    const ends: ((error?: Error) => void)[] = [];
    const start = async () =>
      limits.run(
        () => 'a',
        async (spend) => {
          spend('misses');
          await new Promise<void>((resolve, reject) => {
            ends.push((error) => (error === undefined ? resolve() : reject(error)));
          });
        },
      );
    const first = start();
    const second = start();
    expect(await refusalOf(limits, 'a', 'misses')).toEqual({
      'Retry-After': '1',
      'RateLimit-Policy': '"concurrent";q=2;qu="concurrent-requests"',
      RateLimit: '"concurrent";r=0',
    });
    expect(await admitted(limits, 'b', 1, 'misses')).toBe(1);
    ends[0]?.();
    ends[1]?.(new Error('left'));
    await first;
    await expect(second).rejects.toThrow('left');
    expect(await admitted(limits, 'a', 5, 'misses')).toBe(5);
  });

  it('count only where they cost something', async () => {
    const { limits } = limited({}, 1);
    await limits.run(
      () => 'a',
      async () => {
        expect(await admitted(limits, 'a', 3, 'misses')).toBe(3);
      },
    );
    expect(limits.stats().refused.concurrent).toBe(0);
  });
});

describe('what is remembered', () => {
  it('is bounded: the clients that came last, and none where nothing is limited', async () => {
    const { limits } = limited({ misses: 1 });
    await admitted(limits, 'first', 10, 'misses');
    for (let n = 0; n < 10_050; n += 1) await admitted(limits, `client ${n}`, 1, 'misses');
    expect(limits.stats().known).toBe(10_000);
    expect(await admitted(limits, 'first', 20, 'misses')).toBe(10);
    const { limits: none } = limited({});
    await admitted(none, 'a', 10, 'misses');
    expect(none.stats()).toEqual({
      known: 0,
      refused: { misses: 0, renders: 0, uploads: 0, concurrent: 0 },
    });
  });

  it('counts refusals by their reason', async () => {
    const { limits } = limited({ uploads: 1 });
    await admitted(limits, 'a', 15, 'uploads');
    expect(limits.stats().refused).toEqual({ misses: 0, renders: 0, uploads: 5, concurrent: 0 });
  });
});
