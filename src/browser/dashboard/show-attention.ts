/** What to look at first: what fails, what is slow, what is hot, what memory had no room for. */
import { buildElement, elementOf } from '../pages/build-element.ts';
import { formatCount, formatDuration } from '../pages/format.ts';
import { listAt, numberAt, textAt, type Fields } from './read-stats.ts';

const MS_PER_S = 1000;

function cell(text: string, isBad = false): HTMLElement {
  return buildElement('td', isBad ? { class: 'warn' } : {}, text);
}

/** The address or key in full as a title: the table cuts it. */
function named(text: string): HTMLElement {
  return buildElement('th', { scope: 'row', title: text }, text);
}

function ago(fields: Fields, name: string): string {
  const atMs = Date.parse(textAt(fields, name));
  return Number.isNaN(atMs) ? '–' : `${formatDuration(Math.max(0, Date.now() - atMs) / MS_PER_S)} ago`;
}

/** `/images/a%20b` as `a b`. */
function imageOf(path: string): string {
  try {
    return decodeURIComponent(path.replace(/^\/images\//, ''));
  } catch {
    return path;
  }
}

function show(name: string, rows: readonly Fields[], row: (fields: Fields) => HTMLElement): void {
  elementOf(`#${name}-section`, HTMLElement).hidden = rows.length === 0;
  elementOf(`#${name}`, HTMLElement).replaceChildren(...rows.map(row));
}

function failingRow(fields: Fields): HTMLElement {
  const times = formatCount(numberAt(fields, 'count') ?? 0);
  return buildElement('tr', {}, named(textAt(fields, 'code')), cell(times), cell(ago(fields, 'last')));
}

function requestRow(fields: Fields): HTMLElement {
  const status = numberAt(fields, 'status') ?? 0;
  const request = `${textAt(fields, 'method')} ${textAt(fields, 'path')}`;
  const took = `${formatCount(numberAt(fields, 'ms') ?? 0)} ms`;
  // 499: the client has left; it is nobody's mistake here.
  return buildElement('tr', {}, named(request), cell(String(status), status >= 500), cell(took));
}

function hotRow(fields: Fields): HTMLElement {
  const hits = formatCount(numberAt(fields, 'hits') ?? 0);
  return buildElement('tr', {}, named(imageOf(textAt(fields, 'path'))), cell(hits));
}

function evictedRow(fields: Fields): HTMLElement {
  return buildElement('tr', {}, named(textAt(fields, 'key')), cell(ago(fields, 'at')));
}

export function showAttention(stats: unknown): void {
  show('failing', listAt(stats, 'attention.failing'), failingRow);
  show('requests', listAt(stats, 'attention.slow_requests'), requestRow);
  show('hot', listAt(stats, 'attention.hot_images'), hotRow);
  show('evicted', listAt(stats, 'attention.evicted'), evictedRow);
}
