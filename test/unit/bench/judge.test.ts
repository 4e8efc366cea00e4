/** What a figure is judged by: the rate, or what a core-second gives where the load was what limited. */
import { describe, expect, it } from 'vitest';
import { verdictTable } from '../../../bench/report/format.ts';
import { judge } from '../../../bench/report/statistics.ts';
import type { Row, Sample, Target } from '../../../bench/scenario.ts';

const TARGET: Target = { figure: 'hit', row: 'hit', subject: 'own', peer: 'peer', atLeast: 1.25 };

function rowOf(own: readonly Sample[], peer: readonly Sample[], better: Row['better'] = 'more'): Row {
  return {
    label: 'hit',
    unit: 'requests/s',
    better,
    series: [
      { subject: 'own', samples: own },
      { subject: 'peer', samples: peer },
    ],
  };
}

/** The same rate out of half a core, as a full load shows it. */
const OWN: Sample = { value: 100, cores: 0.5, loadCores: 0.99, disturbed: 0 };
const PEER: Sample = { value: 100, cores: 1, loadCores: 0.6, disturbed: 0 };

describe('judging a figure', () => {
  it('goes by the core-second where the load took its whole core, and says so', () => {
    const verdict = judge(TARGET, [rowOf([OWN], [PEER])]);
    expect(verdict).toMatchObject({ met: true, fullLoad: 0.99 });
    expect(verdict.measured?.median).toBe(1);
    expect(verdict.perCore?.median).toBe(2);
    expect(verdictTable([verdict])).toContain('core-second: the load took 0.99 of its core');
  });

  it('goes by the rate where the load had room', () => {
    const verdict = judge(TARGET, [rowOf([{ ...OWN, loadCores: 0.9 }], [PEER])]);
    expect(verdict).toMatchObject({ met: false, fullLoad: undefined });
    expect(verdictTable([verdict])).toContain('| measured | **no** |');
  });

  it('goes by times as they are, whatever the load took', () => {
    const times: Target = { ...TARGET, of: 'p99Ms', atMost: 3, atLeast: 0 };
    const row = rowOf([{ ...OWN, p99Ms: 2 }], [{ ...PEER, p99Ms: 1 }]);
    const none = { fullLoad: undefined, perCore: undefined };
    expect(judge(times, [row])).toMatchObject({ met: true, ...none });
    expect(judge(TARGET, [rowOf([OWN], [PEER], 'less')])).toMatchObject({ met: false, ...none });
  });

  it('leaves out rounds that others disturbed, and says when there is no other', () => {
    const noisy = { ...OWN, value: 900, loadCores: 0.5, disturbed: 0.5 };
    const quiet = { ...OWN, value: 130, loadCores: 0.5 };
    expect(judge(TARGET, [rowOf([noisy, quiet], [PEER, PEER])]).measured?.median).toBe(1.3);
    expect(judge(TARGET, [rowOf([noisy], [PEER])])).toMatchObject({ isDisturbed: true, met: true });
  });

  it('has no verdict where a peer is missing', () => {
    const row = rowOf([OWN], [PEER]);
    const verdict = judge(TARGET, [{ ...row, series: row.series.slice(0, 1) }]);
    expect(verdict.met).toBeUndefined();
    expect(verdictTable([verdict])).toContain('peer missing');
  });
});
