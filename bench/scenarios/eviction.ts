/** LRU and SIEVE at equal bytes on four traces: the share of requests that a small memory tier answers. */
import { createMemoryTier } from '../../src/cache/memory-tier.ts';
import { systemClock } from '../../src/core/clock.ts';
import type { Entry } from '../../src/core/entry.ts';
import type { Bench, Outcome, Row, Scenario } from '../scenario.ts';
import { recency, scan, zipf, type Trace } from '../trace.ts';

const KEYS = 10_000;
const REQUESTS = 300_000;
const BODY_BYTES = 1024;
/** Charged for an entry besides its body, as the tier does. */
const ENTRY_BYTES = 512;
const ONE_HITS = 'zipf 0.9, a fifth one-hit wonders';

function entryOf(key: string): Entry {
  return {
    key,
    version: '00'.repeat(32),
    mime: 'image/png',
    bytes: BODY_BYTES,
    storedAtMs: 0,
    expiresAtMs: 0,
  };
}

function hitPercent(trace: Trace, policy: 'lru' | 'sieve', entries: number): number {
  const tier = createMemoryTier(
    { limitBytes: entries * (BODY_BYTES + ENTRY_BYTES), limitEntries: entries, policy },
    systemClock,
  );
  let hits = 0;
  for (const key of trace) {
    if (tier.get(key) === undefined) tier.put(entryOf(key), new Uint8Array(BODY_BYTES));
    else hits += 1;
  }
  return (100 * hits) / trace.length;
}

async function run(bench: Bench): Promise<Outcome> {
  const requests = bench.effort.name === 'smoke' ? 20_000 : REQUESTS;
  const entries = KEYS / 100;
  const traces: readonly (readonly [label: string, trace: Trace])[] = [
    ['zipf 0.9', zipf(KEYS, requests, 0.9, 0)],
    [ONE_HITS, zipf(KEYS, requests, 0.9, 0.2)],
    ['zipf 0.9 with scans', scan(KEYS, requests)],
    ['recency', recency(requests)],
  ];
  const rows: Row[] = [];
  let ahead = Number.NaN;
  for (const [label, trace] of traces) {
    bench.say(`${label}: ${requests} requests`);
    const [lru, sieve] = [hitPercent(trace, 'lru', entries), hitPercent(trace, 'sieve', entries)];
    if (label === ONE_HITS) ahead = sieve - lru;
    rows.push({
      label,
      unit: '% hits',
      better: 'more',
      series: [
        { subject: 'SIEVE', samples: [{ value: sieve }] },
        { subject: 'LRU', samples: [{ value: lru }] },
      ],
    });
  }
  rows.push({
    label: 'points ahead',
    unit: 'points',
    better: 'more',
    series: [{ subject: 'SIEVE', samples: [{ value: ahead }] }],
  });
  return {
    rows,
    targets: [
      {
        figure: 'SIEVE ahead of LRU on zipf 0.9 with one-hit wonders, points',
        row: 'points ahead',
        subject: 'SIEVE',
        atLeast: 8,
      },
    ],
    notes: [
      `the memory tier itself, ${entries} entries of 1 KB (1 % of ${KEYS} keys), ${requests} requests; exact: no spread`,
    ],
    missing: [],
  };
}

export const eviction: Scenario = {
  name: 'eviction',
  question: 'Which share of requests does a small memory tier answer?',
  takesS: { quick: 3, full: 3 },
  run,
};
