/** The parts that may fail, what became of them lately, and how far a warming is. */
import { buildElement, elementOf } from '../pages/build-element.ts';
import { formatCount, formatDuration } from '../pages/format.ts';
import { fieldsOf, listAt, numberAt, textAt, type Fields } from './read-stats.ts';

const CHANGES_MAX = 12;
const DAY_MS = 86_400_000;

/** `redis-backend` as `Redis backend`. */
function nameOf(fields: Fields): string {
  const words = textAt(fields, 'part').replaceAll('-', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** The server's clock may be ahead of the visitor's. */
function ageOf(iso: string, nowMs: number): string {
  return formatDuration(Math.max(0, nowMs - Date.parse(iso)) / 1000);
}

function timeElement(iso: string, nowMs: number): HTMLElement {
  const at = new Date(iso);
  const text = nowMs - at.getTime() < DAY_MS ? at.toLocaleTimeString() : at.toLocaleString();
  return buildElement('time', { datetime: iso, class: 'number' }, text);
}

function partRow(fields: Fields, nowMs: number): HTMLElement {
  const state = buildElement('span', {
    class: 'pill',
    'data-state': fields['up'] === true ? 'open' : 'closed',
  });
  state.textContent = textAt(fields, 'state');
  return buildElement(
    'li',
    {},
    buildElement('span', { class: 'name' }, nameOf(fields)),
    buildElement('span', { class: 'age number' }, `for ${ageOf(textAt(fields, 'since'), nowMs)}`),
    state,
  );
}

function changeRow(fields: Fields, nowMs: number): HTMLElement {
  const reason = textAt(fields, 'reason');
  return buildElement(
    'li',
    {},
    timeElement(textAt(fields, 'at'), nowMs),
    buildElement('span', {}, `${nameOf(fields)} `, buildElement('strong', {}, textAt(fields, 'state'))),
    reason === '' ? undefined : buildElement('span', { class: 'reason' }, reason),
  );
}

function showWarming(stats: unknown): void {
  const warming = fieldsOf(stats)['warming'];
  const [done = 0, total = 0] = [numberAt(warming, 'done'), numberAt(warming, 'total')];
  elementOf('#warming', HTMLElement).hidden = fieldsOf(warming)['running'] !== true;
  const bar = elementOf('#warming progress', HTMLProgressElement);
  bar.max = Math.max(1, total);
  bar.value = done;
  const notes = (['missing', 'failed'] as const)
    .map((name) => [name, numberAt(warming, name) ?? 0] as const)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${formatCount(count)} ${name}`);
  const text = [`Warming: ${formatCount(done)} of ${formatCount(total)}`, ...notes].join(' · ');
  elementOf('#warming span', HTMLElement).textContent = text;
}

export function showHealth(stats: unknown): void {
  const nowMs = Date.now();
  const parts = listAt(stats, 'health.parts');
  const changes = listAt(stats, 'health.changes').slice(0, CHANGES_MAX);
  const down = parts.filter(({ up }) => up !== true).length;
  elementOf('#health-section', HTMLElement).hidden = parts.length === 0;
  elementOf('#health-note', HTMLElement).textContent =
    down === 0 ? 'every part works' : `${down} of ${parts.length} not as they should be`;
  elementOf('#parts', HTMLElement).replaceChildren(...parts.map((part) => partRow(part, nowMs)));
  elementOf('#changes', HTMLElement).replaceChildren(...changes.map((change) => changeRow(change, nowMs)));
  showWarming(stats);
}
