/**
 * Images on their way to the server: a few at a time, each with its progress, its problem in the
 * server's own words, and another try. Where files come from is not known here.
 */
import { askToken } from '../pages/ask-token.ts';
import { buildElement, elementOf } from '../pages/build-element.ts';
import type { Problem } from '../pages/call-server.ts';
import { putImage, type ImageToPut } from './put-image.ts';

const AT_ONCE = 3;
const WAITING_MAX = 100;
const DONE_VISIBLE_MS = 1800;

interface Row {
  progress(ratio: number): void;
  fail(problem: Problem, retry: () => void): void;
  done(): void;
}

function createRow(list: HTMLElement, name: string): Row {
  const bar = buildElement('progress', { max: 1, value: 0, 'aria-label': `Sending ${name}` });
  const note = buildElement('p', { hidden: true });
  const again = buildElement('button', { type: 'button', class: 'plain', hidden: true }, 'Try again');
  const away = buildElement(
    'button',
    { type: 'button', class: 'plain', 'aria-label': `Dismiss ${name}` },
    'Dismiss',
  );
  const title = buildElement('b', { title: name }, name);
  const item = buildElement(
    'li',
    { class: 'upload' },
    title,
    buildElement('span', {}, again, away),
    bar,
    note,
  );
  away.addEventListener('click', () => item.remove());
  list.prepend(item);
  return {
    progress(ratio) {
      bar.value = ratio;
    },
    fail(problem, retry) {
      item.dataset['state'] = 'failed';
      bar.hidden = true;
      note.hidden = false;
      note.textContent = problem.code ? `${problem.message} (${problem.code})` : problem.message;
      again.hidden = false;
      again.addEventListener('click', () => {
        item.remove();
        retry();
      });
    },
    done() {
      bar.value = 1;
      setTimeout(() => item.remove(), DONE_VISIBLE_MS);
    },
  };
}

export interface Uploads {
  /** Whether the server took it. */
  add(name: string, image: ImageToPut): Promise<boolean>;
}

export function createUploads(): Uploads {
  const list = elementOf('#uploads', HTMLElement);
  const tray = elementOf('#tray', HTMLElement);
  new MutationObserver(() => (tray.hidden = list.children.length === 0)).observe(list, { childList: true });
  const waiting: (() => void)[] = [];
  let running = 0;

  async function inTurn(): Promise<void> {
    if (running >= AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
    running += 1;
  }

  async function add(name: string, image: ImageToPut): Promise<boolean> {
    const row = createRow(list, name);
    if (waiting.length >= WAITING_MAX) {
      row.fail(
        { status: 0, code: '', message: 'Too many at once; send it again later.' },
        () => void add(name, image),
      );
      return false;
    }
    await inTurn();
    let problem: Problem | undefined;
    try {
      problem = await putImage(image, row.progress);
      if (problem?.status === 401 && (await askToken('write'))) problem = await putImage(image, row.progress);
    } finally {
      running -= 1;
      waiting.shift()?.();
    }
    if (problem === undefined) row.done();
    else row.fail(problem, () => void add(name, image));
    return problem === undefined;
  }

  return { add };
}
