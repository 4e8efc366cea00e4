/** Medians, spreads and ratios of interleaved samples. Ratios are taken round by round, so that drift cancels. */
import { DISTURBED } from '../interleave.ts';
import type { Measure, Row, Sample, Series, Target } from '../scenario.ts';

export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export interface Verdict {
  readonly target: Target;
  /** Undefined: a peer was missing. */
  readonly measured: Spread | undefined;
  readonly met: boolean | undefined;
  /** The same ratio for each second of processor time: what a disturbed machine cannot bend. */
  readonly perCore: Spread | undefined;
  /** Cores of the load where it was full and the rate, which is then its limit, is not enough: `perCore` decides. */
  readonly fullLoad: number | undefined;
  /** No round was quiet for both: the figure is the machine's as much as the subject's. */
  readonly isDisturbed: boolean;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  const lower = sorted.length % 2 === 0 ? (sorted[middle - 1] ?? upper) : upper;
  return { median: (lower + upper) / 2, least: sorted[0] ?? Number.NaN, most: sorted.at(-1) ?? Number.NaN };
}

/** `perCore`: the value for each second of processor time, which others' work on the machine hardly touches. */
function measureOf(sample: Sample, of: Measure): number {
  if (of !== 'perCore') return sample[of] ?? Number.NaN;
  return sample.value / (sample.cores ?? Number.NaN);
}

export function valuesOf(series: Series, of: Measure = 'value'): number[] {
  return series.samples.map((sample) => measureOf(sample, of));
}

export function isQuiet({ disturbed = 0 }: Sample): boolean {
  return disturbed <= DISTURBED;
}

/** The values of rounds in which others left the machine alone; of all rounds where there is no such. */
export function quietValues(series: Series, of: Measure = 'value'): number[] {
  const quiet = series.samples.filter(isQuiet);
  return valuesOf(quiet.length === 0 ? series : { ...series, samples: quiet }, of);
}

/** Mine by theirs, round by round; rounds that were quiet for both, where there are any. */
export function ratioOfSeries(mine: Series, theirs: Series, of: Measure = 'value'): Spread {
  const isBothQuiet = (sample: Sample, round: number): boolean => {
    const other = theirs.samples[round];
    return other !== undefined && isQuiet(sample) && isQuiet(other);
  };
  const rounds = mine.samples.flatMap((sample, round) => (isBothQuiet(sample, round) ? [round] : []));
  const pick = (series: Series): number[] => {
    const values = valuesOf(series, of);
    return rounds.length === 0 ? values : rounds.map((round) => values[round] ?? Number.NaN);
  };
  return ratioOf(pick(mine), pick(theirs));
}

function ratioOf(mine: readonly number[], theirs: readonly number[]): Spread {
  return spreadOf(mine.map((value, round) => value / (theirs[round] ?? Number.NaN)));
}

/** Cores of the load from which on it, and not the server, is what limits. */
const FULL_LOAD = 0.95;

function fullLoadOf(both: readonly Series[]): number | undefined {
  const load = Math.max(...both.map((series) => spreadOf(quietValues(series, 'loadCores')).median));
  return load >= FULL_LOAD ? load : undefined;
}

function isWithin(target: Target, { median }: Spread): boolean {
  const { atLeast = Number.NEGATIVE_INFINITY, atMost = Number.POSITIVE_INFINITY } = target;
  return median >= atLeast && median <= atMost;
}

export function judge(target: Target, rows: readonly Row[]): Verdict {
  const row = rows.find((each) => each.label === target.row);
  const mine = row?.series.find((series) => series.subject === target.subject);
  const peer = row?.series.find((series) => series.subject === target.peer);
  if (mine === undefined || (target.peer !== undefined && peer === undefined)) {
    const nothing = { measured: undefined, met: undefined, perCore: undefined, fullLoad: undefined };
    return { target, ...nothing, isDisturbed: false };
  }
  const measured =
    peer === undefined ? spreadOf(quietValues(mine, target.of)) : ratioOfSeries(mine, peer, target.of);
  // Only rates are limited by the load, and only they are so many a core-second; times are what they are.
  const isRate = row?.better === 'more' && (target.of ?? 'value') === 'value';
  const rated = isRate ? peer : undefined;
  const perCore = rated === undefined ? undefined : ratioOfSeries(mine, rated, 'perCore');
  const fullLoad = rated === undefined ? undefined : fullLoadOf([mine, rated]);
  const isDisturbed = !mine.samples.some(
    (sample, round) => isQuiet(sample) && isQuiet(peer?.samples[round] ?? sample),
  );
  // A full load holds the faster one back: then it is enough to be ahead by processor time.
  const isMet = isWithin(target, measured);
  const met = isMet || (fullLoad !== undefined && perCore !== undefined && isWithin(target, perCore));
  return { target, measured, met, perCore, fullLoad: isMet ? undefined : fullLoad, isDisturbed };
}
