/** The search box: where an image lies (/admin/image), and the buttons to warm and to purge it. */
import { askToken } from '../pages/ask-token.ts';
import { buildElement, elementOf } from '../pages/build-element.ts';
import { callJson, type JsonAnswer } from '../pages/call-server.ts';
import { formatBytes, formatDuration } from '../pages/format.ts';
import { fieldsOf, listAt, numberAt, textAt, type Fields } from './read-stats.ts';

/** A warming of one image takes a moment: so long until it is looked for again. */
const WARM_MS = 600;
const NOT_FOUND = 404;
const TOKEN_MISSING = 401;

/** Asks for a token where the server wants one, and then once more. */
async function callAdmin(path: string, init?: RequestInit): Promise<JsonAnswer> {
  const answer = await callJson(path, init);
  const isLocked = 'problem' in answer && answer.problem.status === TOKEN_MISSING;
  return isLocked && (await askToken('write')) ? callJson(path, init) : answer;
}

function ttlOf(row: Fields): string {
  const seconds = numberAt(row, 'ttl_s');
  return seconds === undefined ? 'never' : `in ${formatDuration(seconds)}`;
}

function storedOf(row: Fields): string {
  const at = textAt(row, 'stored_at');
  return at === '' ? '–' : new Date(at).toLocaleString(undefined, { dateStyle: 'short', timeStyle: 'short' });
}

function cells(texts: readonly string[]): readonly HTMLElement[] {
  return texts.map((text) => buildElement('td', {}, text));
}

function placeRow(name: string, row: Fields): HTMLElement {
  const head = buildElement('th', { scope: 'row' }, name);
  const isThere = row['present'] !== false;
  if (!isThere) {
    const text = row['unsure'] === true ? 'could not say' : 'not here';
    return buildElement('tr', {}, head, buildElement('td', { colspan: 5, class: 'absent' }, text));
  }
  const bytes = formatBytes(numberAt(row, 'bytes') ?? 0);
  const version = buildElement('td', { class: 'mono' }, textAt(row, 'version').slice(0, 8));
  const rest = [bytes, ttlOf(row), storedOf(row), textAt(row, 'mime')];
  return buildElement('tr', {}, head, version, ...cells(rest));
}

function placesTable(places: unknown): HTMLElement {
  const titles = ['Tier', 'Version', 'Bytes', 'Expires', 'Stored', 'Type'];
  const head = titles.map((title) => buildElement('th', { scope: 'col' }, title));
  const rows = listAt(places, 'tiers').map((row) => placeRow(textAt(row, 'tier'), row));
  const partial = fieldsOf(places)['partial'];
  if (typeof partial === 'object' && partial !== null) rows.push(placeRow('Partial', fieldsOf(partial)));
  return buildElement(
    'div',
    { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Tiers of the image' },
    buildElement(
      'table',
      {},
      buildElement('thead', {}, buildElement('tr', {}, ...head)),
      buildElement('tbody', {}, ...rows),
    ),
  );
}

function variantItem(row: Fields): HTMLElement {
  const tiers = row['tiers'];
  const where = Array.isArray(tiers) ? tiers.join(', ') : '';
  const facts = `${formatBytes(numberAt(row, 'bytes') ?? 0)} · ${where}`;
  return buildElement(
    'li',
    {},
    buildElement('span', { class: 'mono' }, textAt(row, 'variant')),
    buildElement('span', {}, facts),
  );
}

function variantList(places: unknown): HTMLElement | undefined {
  const variants = listAt(places, 'variants');
  if (variants.length === 0) return undefined;
  const list = buildElement('ul', {}, ...variants.map(variantItem));
  const title = `${variants.length} ${variants.length === 1 ? 'variant' : 'variants'}`;
  return buildElement('details', { class: 'variants', open: true }, buildElement('summary', {}, title), list);
}

/** Deletes at the second press: the first only asks. */
function purgeButton(purge: () => void): HTMLElement {
  const button = buildElement('button', { type: 'button' }, 'Purge');
  const calm = (): void => {
    button.classList.remove('danger');
    button.textContent = 'Purge';
  };
  button.addEventListener('click', () => {
    if (button.classList.contains('danger')) {
      purge();
      return;
    }
    button.classList.add('danger');
    button.textContent = 'Really purge?';
  });
  button.addEventListener('blur', calm);
  return button;
}

function warmButton(warm: () => void): HTMLElement {
  const button = buildElement('button', { type: 'button' }, 'Warm');
  button.addEventListener('click', warm);
  return button;
}

export function startFinding(): void {
  const result = elementOf('#find-result', HTMLElement);
  const said = elementOf('#find-said', HTMLElement);
  /** Counts the questions: an answer to an older one is not shown. */
  let asked = 0;

  function show(id: string, answer: JsonAnswer): void {
    const problem = 'problem' in answer ? answer.problem : undefined;
    const buttons = buildElement(
      'div',
      { class: 'row' },
      warmButton(() => void warm(id)),
    );
    if (problem !== undefined) {
      said.textContent = problem.message;
      result.replaceChildren(...(problem.status === NOT_FOUND ? [buttons] : []));
      return;
    }
    const places = 'value' in answer ? answer.value : undefined;
    const address = textAt(places, 'url').replace(/^\//, '');
    const there = listAt(places, 'tiers').filter(({ present }) => present === true);
    const names = there.map((tier) => textAt(tier, 'tier')).join(' and ');
    said.replaceChildren(
      buildElement('a', { href: address, class: 'mono' }, id),
      names === ''
        ? ' lies in no tier as a whole.'
        : ` lies in the ${names} ${there.length === 1 ? 'tier' : 'tiers'}.`,
    );
    buttons.append(purgeButton(() => void purge(id)));
    const variants = variantList(places);
    result.replaceChildren(placesTable(places), ...(variants === undefined ? [] : [variants]), buttons);
  }

  async function find(id: string): Promise<void> {
    asked += 1;
    const question = asked;
    const answer = await callAdmin(`admin/image?${new URLSearchParams({ id })}`);
    if (question === asked) show(id, answer);
  }

  async function change(id: string, path: string, init: RequestInit, waitMs: number): Promise<void> {
    const hadFocus = result.contains(document.activeElement);
    const answer = await callAdmin(path, init);
    if ('problem' in answer) {
      said.textContent = answer.problem.message;
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    await find(id);
    // The button that was pressed is gone: its place is kept for who goes by keyboard.
    if (hadFocus) result.querySelector('button')?.focus();
  }

  async function purge(id: string): Promise<void> {
    await change(id, `admin/cache?${new URLSearchParams({ key: id })}`, { method: 'DELETE' }, 0);
  }

  async function warm(id: string): Promise<void> {
    const body = JSON.stringify({ ids: [id] });
    const headers = { 'Content-Type': 'application/json' };
    await change(id, 'admin/warm', { method: 'POST', body, headers }, WARM_MS);
  }

  elementOf('#find', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    const id = elementOf('#find-id', HTMLInputElement).value.trim();
    if (id !== '') void find(id);
  });
}
