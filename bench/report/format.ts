/** Numbers and tables as text, for the terminal and for Markdown alike. */
import type { Row } from '../scenario.ts';
import { quietValues, ratioOfSeries, spreadOf, type Spread, type Verdict } from './statistics.ts';

export function number(value: number): string {
  if (Number.isNaN(value)) return '–';
  const size = Math.abs(value);
  if (size >= 1000) return Math.round(value).toLocaleString('en-US');
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}

export function spread({ median, least, most }: Spread): string {
  return least === most ? number(median) : `${number(median)} (${number(least)} – ${number(most)})`;
}

function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const render = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [render(head), render(head.map(() => '---')), ...lines.map(render)].join('\n');
}

/** One line a subject; ratios are to the first subject of the row: above 1, the first is ahead. */
export function rowTable(rows: readonly Row[]): string {
  const lines = rows.flatMap((row) => {
    const [first] = row.series;
    return row.series.map((series, at) => {
      const ahead = first ?? series;
      const ratio = row.better === 'more' ? ratioOfSeries(ahead, series) : ratioOfSeries(series, ahead);
      const p99 = spreadOf(quietValues(series, 'p99Ms')).median;
      const perCore = row.better === 'more' ? spreadOf(quietValues(series, 'perCore')).median : Number.NaN;
      const cores = spreadOf(series.samples.map((sample) => sample.cores ?? Number.NaN)).median;
      const others = spreadOf(series.samples.map((sample) => sample.disturbed ?? Number.NaN)).median;
      const load = spreadOf(series.samples.map((sample) => sample.loadCores ?? Number.NaN)).median;
      return [
        at === 0 ? row.label : '',
        series.subject,
        `${spread(spreadOf(quietValues(series)))} ${row.unit}`,
        at === 0 ? '' : spread(ratio),
        Number.isNaN(perCore) ? '' : number(perCore),
        Number.isNaN(cores) ? '' : `${number(cores)} / ${number(load)} / ${number(others)}`,
        Number.isNaN(p99) ? '' : `${number(p99)} ms`,
      ];
    });
  });
  const ahead = rows[0]?.series[0]?.subject ?? '';
  return table(
    [
      '',
      'subject',
      'median (least – most)',
      `${ahead} is ahead by ×`,
      'a core-second',
      'cores: server / load / others',
      'p99',
    ],
    lines,
  );
}

function wanted({ target }: Verdict): string {
  return target.atLeast === undefined ? `≤ ${target.atMost ?? ''}` : `≥ ${target.atLeast}`;
}

function metOf({ met, isDisturbed }: Verdict): string {
  if (met === undefined) return '–';
  return `${met ? 'yes' : '**no**'}${isDisturbed ? ', but no round was quiet' : ''}`;
}

function judgedBy({ measured, fullLoad }: Verdict): string {
  if (measured === undefined) return '';
  return fullLoad === undefined ? 'measured' : `core-second: the load took ${number(fullLoad)} of its core`;
}

export function verdictTable(verdicts: readonly Verdict[]): string {
  const lines = verdicts.map((verdict) => [
    verdict.target.figure,
    `${wanted(verdict)}${verdict.target.peer === undefined ? '' : ' ×'}`,
    verdict.measured === undefined ? 'peer missing' : spread(verdict.measured),
    verdict.perCore === undefined || Number.isNaN(verdict.perCore.median) ? '' : spread(verdict.perCore),
    judgedBy(verdict),
    metOf(verdict),
  ]);
  return table(['figure', 'wanted', 'measured', 'by core-second', 'judged by', 'met'], lines);
}

/** What a visitor reads: the figures as they were judged, and nothing of how. */
export function figuresTable(verdicts: readonly Verdict[]): string {
  const lines = verdicts.map((verdict) => {
    const { target, measured, perCore, fullLoad } = verdict;
    const judged = fullLoad === undefined ? measured : (perCore ?? measured);
    const value = judged === undefined ? 'peer missing' : number(judged.median);
    const times = target.peer === undefined ? '' : ' ×';
    return [
      target.figure,
      `${value}${judged === undefined ? '' : times}`,
      `${wanted(verdict)}${times}`,
      metOf(verdict),
    ];
  });
  return table(['figure', 'measured', 'wanted', 'met'], lines);
}
