import { expect, it } from 'vitest';
import { makeCorpus } from '../fuzz/corpus.ts';
import { RESIDENT_MB_MAX } from '../fuzz/fuzz-server.ts';
import { makeInput, runFuzz } from '../fuzz/run-fuzz.ts';
import { SURFACES } from '../fuzz/surfaces/all.ts';

const SEED = 20_261_121;

it('bears ten thousand inputs of every surface: right answers, right bytes, bounded memory', async () => {
  const report = await runFuzz({
    seed: SEED,
    inputs: 10_000,
    from: 0,
    only: undefined,
    residentMbMax: RESIDENT_MB_MAX,
    lanes: 16,
  });
  expect(report.failure?.wrong).toBeUndefined();
  expect(report.done).toBe(10_000);
  // Each surface got as far as it is meant to: a fuzzer that everything refuses shows nothing.
  const came = (surface: string, what: string): number => report.came.get(surface)?.get(what) ?? 0;
  expect([...report.came.keys()].toSorted()).toEqual(SURFACES.map(({ name }) => name).toSorted());
  for (const surface of ['images', 'base64', 'envelopes'])
    expect(came(surface, '201'), surface).toBeGreaterThan(20);
  expect(came('ranges', '206')).toBeGreaterThan(100);
  expect(came('conditions', '304')).toBeGreaterThan(20);
  expect(came('streams', '200')).toBeGreaterThan(20);
  expect(came('web-socket', '101')).toBeGreaterThan(100);
}, 120_000);

it('makes the same input again from its seed and index alone', async () => {
  const corpus = await makeCorpus();
  const make = (index: number) => makeInput({ seed: SEED, only: undefined }, corpus, index);
  const again = make(77);
  make(78);
  expect(make(77)).toEqual(again);
  expect(make(78)).not.toEqual(again);
  expect(makeInput({ seed: SEED + 1, only: undefined }, corpus, 77)).not.toEqual(again);
});
