/** Lookups in the memory tier as it fills from a hundred entries to a million. */
import { createMemoryTier, type MemoryTier } from '../../src/cache/memory-tier.ts';
import { systemClock } from '../../src/core/clock.ts';
import { interleave } from '../interleave.ts';
import type { Bench, Outcome, Sample, Scenario } from '../scenario.ts';

const SIZES = { smoke: [100, 10_000], quick: [100, 100_000], full: [100, 1_000_000] } as const;
const GIB = 2 ** 30;
/** Keys that are asked for: as many at every size, so that the processor's caches hold as much. */
const HOT = 64;
/** A hit's whole cost at 4 KB on this class of machine: what a slower lookup is a share of. */
const HIT_NS = 8000;

function fill(entries: number): MemoryTier {
  const tier = createMemoryTier({ limitBytes: 4 * GIB, limitEntries: 2_000_000 }, systemClock);
  const body = new Uint8Array(16);
  for (let at = 0; at < entries; at += 1) {
    const entry = {
      key: `image-${at}`,
      version: '00',
      mime: 'image/png',
      bytes: 16,
      storedAtMs: 0,
      expiresAtMs: 0,
    };
    tier.put(entry, body);
  }
  return tier;
}

/** Nanoseconds for a lookup. Keys are made anew each time, as a request makes them. */
function measureGet(tier: MemoryTier, entries: number, seconds: number): Sample {
  const step = Math.max(1, Math.floor(entries / HOT));
  const [startMs, endMs] = [performance.now(), performance.now() + seconds * 300];
  let lookups = 0;
  while (performance.now() < endMs) {
    for (let at = 0; at < 10_000; at += 1) {
      if (tier.get(`image-${(at % HOT) * step}`) === undefined) throw new Error('an entry is gone');
    }
    lookups += 10_000;
  }
  return { value: ((performance.now() - startMs) * 1e6) / lookups };
}

async function run(bench: Bench): Promise<Outcome> {
  const { [bench.effort.name]: sizes } = SIZES;
  const subjects = sizes.map((entries) => {
    bench.say(`filling ${entries} entries`);
    const tier = fill(entries);
    return {
      name: `${entries.toLocaleString('en-US')} entries`,
      measure: async (seconds: number) => measureGet(tier, entries, seconds),
    };
  });
  const row = await interleave({ label: 'lookup', unit: 'ns', better: 'less' }, subjects, bench);
  const [small, large] = row.series;
  const cost = (large?.samples ?? []).map((sample, round) => ({
    value: (100 * (sample.value - (small?.samples[round]?.value ?? 0))) / HIT_NS,
  }));
  const share = {
    label: 'growth',
    unit: '% of a hit',
    better: 'less',
    series: [{ subject: 'Afterimage', samples: cost }],
  } as const;
  return {
    rows: [row, share],
    targets: [
      { figure: 'growth of the tier, % of a 4 KB hit', row: 'growth', subject: 'Afterimage', atMost: 10 },
    ],
    notes: [
      'in the process: the tier alone, tiny bodies, 64 hot keys spread over all; a hit of 4 KB over HTTP ' +
        `takes about ${HIT_NS / 1000} µs, of which the difference is the share given`,
    ],
    missing: [],
  };
}

export const growth: Scenario = {
  name: 'growth',
  question: 'Does a lookup cost more as the tier fills?',
  run,
};
