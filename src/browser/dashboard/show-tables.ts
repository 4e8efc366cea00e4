/** The tables and lists below the plots: tiers, workers, events, topics, slow readers. */
import { buildElement, elementOf } from '../pages/build-element.ts';
import { formatBytes, formatCount, formatDuration, formatPercent } from '../pages/format.ts';
import { fieldsOf, listAt, numberAt, textAt, type Fields } from './read-stats.ts';

const ROWS_MAX = 12;
const LANES_MAX = 64;

function count(value: number | undefined): string {
  return value === undefined ? '–' : formatCount(value);
}

function cell(text: string, isBad = false): HTMLElement {
  return buildElement('td', isBad ? { class: 'warn' } : {}, text);
}

function meter(name: string, bytes: number, limitBytes: number | undefined): HTMLElement {
  const text = limitBytes ? `${formatBytes(bytes)} of ${formatBytes(limitBytes)}` : formatBytes(bytes);
  const bar =
    limitBytes && buildElement('progress', { max: limitBytes, value: bytes, 'aria-label': `${name}, bytes` });
  return buildElement('div', { class: 'meter' }, bar || '', buildElement('span', {}, text));
}

function tierRow(tier: Fields): HTMLElement {
  const name = textAt(tier, 'name');
  const hits = numberAt(tier, 'hits');
  const misses = numberAt(tier, 'misses');
  const reads = (hits ?? 0) + (misses ?? 0);
  const errors = numberAt(tier, 'errors') ?? 0;
  return buildElement(
    'tr',
    {},
    buildElement('th', { scope: 'row' }, name),
    buildElement(
      'td',
      { class: 'fill' },
      meter(name, numberAt(tier, 'bytes') ?? 0, numberAt(tier, 'limitBytes')),
    ),
    cell(count(numberAt(tier, 'entries'))),
    cell(reads > 0 ? formatPercent((hits ?? 0) / reads) : '–'),
    cell(count(hits)),
    cell(count(misses)),
    cell(count(numberAt(tier, 'evictions'))),
    cell(count(errors), errors > 0),
  );
}

/** `queueLimit` and `cut_slow` as words. */
function words(key: string): string {
  const spaced = key
    .replace(/[_.]/g, ' ')
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase();
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}

const BAD = /^(refused|timeouts|crashes|errors|(cut|closed) (slow|stalled|failed))$/;

const UNITS: readonly (readonly [RegExp, (value: number) => string])[] = [
  [/_?bytes$/i, formatBytes],
  [/_?ms$/i, (value) => `${formatCount(value)} ms`],
];

function fact(key: string, value: number): HTMLElement {
  const [ending, format] = UNITS.find(([unit]) => unit.test(key)) ?? [/$/, formatCount];
  const isBad = BAD.test(key) && value > 0;
  const name = buildElement('dt', {}, words(key.replace(ending, '') || key));
  return buildElement('div', {}, name, buildElement('dd', isBad ? { class: 'warn' } : {}, format(value)));
}

/** Counters by reason (`closed: { slow: 3 }`) as one each, where there is something to tell. */
function flatten(key: string, value: unknown): readonly (readonly [string, number])[] {
  if (typeof value === 'number') return [[key, value]];
  if (Array.isArray(value)) return [];
  const reasons = Object.entries(fieldsOf(value)).map(
    ([reason, many]) => [`${key} ${reason}`, Number(many)] as const,
  );
  return reasons.filter(([, many]) => many > 0);
}

/** What is looked at first; other numbers follow, but for those that tell an operator nothing. */
const FIRST = [
  'subscribers',
  'topics',
  'published',
  'deliveries',
  'deliveredBytes',
  'replayed',
  'conflated',
  'gaps',
];
const UNSAID = new Set(['threads', 'heartbeats', 'left', 'behind', 'byTransport', 'inlineLoads']);

function place(key: string): number {
  const index = FIRST.indexOf(key);
  return index === -1 ? FIRST.length : index;
}

function facts(list: HTMLElement, section: unknown): void {
  const entries = Object.entries(fieldsOf(section)).filter(([key]) => !UNSAID.has(key));
  entries.sort(([a], [b]) => place(a) - place(b));
  const numbers = entries.flatMap(([key, value]) => flatten(key, value));
  list.replaceChildren(...numbers.map(([key, value]) => fact(key, value)));
}

function lanes(stats: unknown): void {
  const threads = numberAt(stats, 'workers.threads') ?? 0;
  const running = numberAt(stats, 'workers.running') ?? 0;
  const element = elementOf('#lanes', HTMLElement);
  element.setAttribute('aria-label', `${running} of ${threads} workers busy`);
  const lamps = Array.from({ length: Math.min(threads, LANES_MAX) }, (_, index) =>
    buildElement('i', { class: index < running ? 'on' : '' }),
  );
  element.replaceChildren(...lamps);
}

function table(name: string, rows: readonly Fields[], row: (fields: Fields) => HTMLElement): void {
  elementOf(`#${name}-section`, HTMLElement).hidden = rows.length === 0;
  elementOf(`#${name}`, HTMLElement).replaceChildren(...rows.slice(0, ROWS_MAX).map(row));
}

function topicRow(fields: Fields): HTMLElement {
  const head = buildElement('th', { scope: 'row' }, textAt(fields, 'topic'));
  return buildElement('tr', {}, head, cell(count(numberAt(fields, 'subscribers'))));
}

function slowRow(fields: Fields): HTMLElement {
  const transport = textAt(fields, 'transport');
  const head = buildElement('th', { scope: 'row' }, `${textAt(fields, 'client')} ${transport}`);
  const stalledS = (numberAt(fields, 'stalled_ms') ?? 0) / 1000;
  return buildElement(
    'tr',
    {},
    head,
    cell(formatBytes(numberAt(fields, 'bytes') ?? 0)),
    cell(formatDuration(stalledS)),
  );
}

export function showTables(stats: unknown): void {
  elementOf('#tiers', HTMLElement).replaceChildren(...listAt(stats, 'tiers').map(tierRow));
  facts(elementOf('#workers', HTMLElement), fieldsOf(stats)['workers']);
  facts(elementOf('#events', HTMLElement), fieldsOf(stats)['events']);
  lanes(stats);
  table('topics', listAt(stats, 'events.top_topics'), topicRow);
  table('slow', listAt(stats, 'events.slow_readers'), slowRow);
}
